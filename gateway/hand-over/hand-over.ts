import type { Clock } from '../../sip/clock.js';
import { failure, toFailure } from '../../sip/failure.js';
import type { IncomingCall, Leg, LegEnd, LegListener, LegRole } from '../../sip/leg.js';
import type { SrfCredentials } from '../../sip/trunk/srf-types.js';
import type { CallController } from '../call/call-controller.js';
import type { Cdr } from '../call/call-record.js';
import type { CallSnapshot, LegSnapshot } from '../call/call-snapshot.js';
import type { TakeableCall } from '../call/call-surroundings.js';
import type { CalleePlace } from '../call/ports.js';
import type { EndpointIdentity } from '../endpoint/endpoint-identity.js';
import type { EndpointTable } from '../endpoint/endpoint-table.js';
import type { SharedStore } from '../store/shared-store.js';
import type { StoreEvents } from '../telemetry/store-events.js';
import type { TrunkSide } from '../trunk/trunk-side.js';
import { lostCallCdr } from './lost-call.js';
import { readCallDocument, writeCallDocument, type CallDocument } from './call-document.js';
import { RestoredCaller } from './restored-caller.js';

/** Whose calls are handed over, and who goes on with them. */
export interface HandOverParts {
  readonly store: SharedStore;
  readonly endpoints: Pick<EndpointTable, 'find' | 'adopt'>;
  readonly controller: Pick<CallController, 'resume' | 'isUp'>;
  readonly trunkSide: Pick<TrunkSide, 'dialogState' | 'restore'>;
  /** What a trunk's PBX asks for when it challenges. */
  readonly credentialsOf: (trunk: string) => SrfCredentials | undefined;
  /** Counts a call to a trunk that goes on: its channel is held until that is called. */
  readonly holdChannel: (trunk: string) => (() => void) | undefined;
  /** Writes the CDR of a call that could not go on. */
  readonly record: (cdr: Cdr) => void;
  readonly clock: Clock;
  readonly events: StoreEvents;
}

/** Whose calls were taken over. */
export type PreviousOwner = 'earlier_process' | 'other_node';

/** Where a leg of a call is. */
interface PlacedLeg extends LegSnapshot {
  readonly role: LegRole;
  readonly place: CalleePlace;
}

const silent: LegListener = {
  reoffer: (reoffer) => reoffer.reject(failure('dialog.unknown')),
  request: (request) => request.respond(481),
  ended: () => undefined,
};

const noHeaders = { get: () => undefined, getAll: () => [] };

/**
 * Established calls in the shared store, so that the next process of this node, or another node, goes on with them. What
 * is kept of a call is written anew when it changes, and removed when it ends. Calls whose media ends with this process are
 * kept so that the next one can end them on both sides.
 */
export class HandOver {
  constructor(private readonly parts: HandOverParts) {}

  /** The call is established, or has changed. */
  changed(call: TakeableCall): void {
    const { store } = this.parts;
    const snapshot = call.snapshot();
    if (snapshot !== undefined) store.put('call', call.id, writeCallDocument(this.#documentOf(snapshot)));
  }

  ended(callId: string): void {
    this.parts.store.remove('call', callId);
  }

  /** Goes on with the calls of records; ends, as far as it can reach them, those that it cannot go on with. */
  takeOver(records: ReadonlyMap<string, string>, from: PreviousOwner): void {
    const { store, controller, events } = this.parts;
    for (const [callId, record] of records) {
      // Its own record is written anew when it changes.
      if (controller.isUp(callId)) continue;
      const document = readCallDocument(record);
      if (document?.call.id !== callId) {
        events.storeRecordUnusable({ kind: 'call', key: callId, why: 'it is not what this version writes' });
        store.remove('call', callId);
        continue;
      }
      try {
        this.#resume(document, from);
        events.callTakenOver({ callId, from });
      } catch (thrown) {
        const reason = toFailure(thrown);
        events.callNotTakenOver({ callId, why: reason.message });
        store.remove('call', callId);
        this.#endLegs(document);
        this.parts.record(lostCallCdr(document.call, reason, this.parts.clock));
      }
    }
  }

  #documentOf(call: CallSnapshot): CallDocument {
    const { endpoints, trunkSide } = this.parts;
    const kept: Record<string, EndpointIdentity> = {};
    const dialogs: CallDocument['dialogs'] = Object.fromEntries(
      [call.caller, call.callee].flatMap(({ dialog }) => {
        const state = dialog.side === 'trunk' ? trunkSide.dialogState(dialog.dialogId) : undefined;
        return state === undefined ? [] : [[state.id, state]];
      }),
    );
    for (const { place } of legsOf(call)) {
      if (!('endpointId' in place)) continue;
      const endpoint = endpoints.find(place.endpointId);
      if (endpoint !== undefined) kept[place.endpointId] = endpoint.identity;
    }
    return { call, endpoints: kept, dialogs };
  }

  #resume(document: CallDocument, owner: PreviousOwner): void {
    const { call } = document;
    const [caller, callee] = legsOf(call);
    const leg = new RestoredCaller(
      { id: caller.legId, side: caller.dialog.side, sipCallId: caller.dialog.callId },
      (listener) => this.#goOn(caller, document, listener, owner),
    );
    const { from, to, dialled: requestUri } = call;
    const incoming: IncomingCall = { leg, requestUri, from, to, sdp: undefined, headers: noHeaders };
    this.parts.controller.resume(call, incoming, (listener) =>
      this.#goOnAtCallee(callee, document, listener, owner),
    );
  }

  /** The channel of the caller's trunk is held by its admission. */
  #goOnAtCallee(leg: PlacedLeg, document: CallDocument, listener: LegListener, from: PreviousOwner): Leg {
    if (!('trunk' in leg.place)) return this.#goOn(leg, document, listener, from);
    const release = this.parts.holdChannel(leg.place.trunk);
    const ended = (end: LegEnd): void => {
      release?.();
      listener.ended(end);
    };
    try {
      return this.#goOn(leg, document, { ...listener, ended }, from);
    } catch (thrown) {
      release?.();
      throw thrown;
    }
  }

  #goOn(leg: PlacedLeg, document: CallDocument, listener: LegListener, from: PreviousOwner): Leg {
    const restored = this.#leg(leg, document, listener);
    if (from === 'other_node' && leg.dialog.side === 'trunk') sayWhere(restored, leg.dialog.localSdp);
    return restored;
  }

  #leg({ legId: id, role, dialog, place }: PlacedLeg, document: CallDocument, listener: LegListener): Leg {
    const { endpoints, trunkSide, credentialsOf } = this.parts;
    if (dialog.side === 'trunk') {
      const auth = 'trunk' in place ? credentialsOf(place.trunk) : undefined;
      return trunkSide.restore({ id, dialog, auth }, document.dialogs[dialog.dialogId], listener);
    }
    const endpointId = 'endpointId' in place ? place.endpointId : '';
    const identity = document.endpoints[endpointId];
    if (identity === undefined)
      throw failure('endpoint.lost', { detail: `who ${endpointId} is was not kept` });
    return endpoints.adopt(endpointId, identity).restore({ id, role, dialog }, listener);
  }

  /** Whoever still waits in the call is told. */
  #endLegs(document: CallDocument): void {
    for (const leg of legsOf(document.call)) {
      try {
        this.#leg(leg, document, silent).hangUp({ headers: [lostReason] });
      } catch {
        // Neither leg nor peer is in reach.
      }
    }
  }
}

/**
 * Tells a PBX our Contact, since it still knows that of another node (target refresh, RFC 3261 §12.2), by offering what it
 * knows. A leg whose PBX has no such dialog any more ends by itself.
 */
function sayWhere(leg: Leg, localSdp: string | undefined): void {
  if (localSdp === undefined) return;
  leg.reoffer(localSdp).then(
    (result) => result.ack(),
    () => undefined,
  );
}

/** RFC 3326: why somebody's call ends who did nothing wrong. */
const lostReason = ['Reason', 'SIP;cause=503;text="Call control was lost"'] as const;

function legsOf({ caller, callee, source }: CallSnapshot): readonly [PlacedLeg, PlacedLeg] {
  const place = source.side === 'browser' ? { endpointId: source.endpointId } : { trunk: source.trunk };
  return [
    { ...caller, role: 'caller', place },
    { ...callee, role: 'callee' },
  ];
}
