import type { Clock } from '../../sip/clock.js';
import { failure, toFailure } from '../../sip/failure.js';
import type { IncomingCall, Leg, LegEnd, LegListener, LegRole } from '../../sip/leg.js';
import type { DigestAccount } from '../../sip/trunk/digest-answer.js';
import type { Call } from '../call/call.js';
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
  readonly controller: {
    resume(...call: Parameters<CallController['resume']>): Pick<Call, 'browserIsBack'>;
    isUp(callId: string): boolean;
  };
  readonly trunkSide: Pick<TrunkSide, 'dialogState' | 'restore'>;
  /** What a trunk's PBX asks for when it challenges. */
  readonly credentialsOf: (trunk: string) => DigestAccount | undefined;
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

/** The legs of a call that were restored, by id. */
type RestoredLegs = Map<string, Leg>;

/** A call whose browsers are, by their ids, endpoints of this process. */
type AdoptedCall = Pick<CallDocument, 'call' | 'dialogs'>;

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
      const read = readCallDocument(record);
      if (read?.call.id !== callId) {
        events.storeRecordUnusable({ kind: 'call', key: callId, why: 'it is not what this version writes' });
        store.remove('call', callId);
        continue;
      }
      const document = this.#adopted(read);
      const restored: RestoredLegs = new Map();
      try {
        this.#resume(document, from, restored);
        events.callTakenOver({ callId, from });
      } catch (thrown) {
        const reason = toFailure(thrown);
        events.callNotTakenOver({ callId, why: reason.message });
        store.remove('call', callId);
        this.#endLegs(document, restored);
        this.parts.record(lostCallCdr(document.call, reason, this.parts.clock));
      }
    }
  }

  /** The call with the endpoints that its browsers have here, which may be others than they had. */
  #adopted({ call, endpoints: identities, dialogs }: CallDocument): AdoptedCall {
    const { endpoints } = this.parts;
    const idHere = (id: string): string => {
      const identity = identities[id];
      return identity === undefined ? id : endpoints.adopt(id, identity).id;
    };
    const { source, callee } = call;
    const { place } = callee;
    return {
      call: {
        ...call,
        source: source.side === 'trunk' ? source : { ...source, endpointId: idHere(source.endpointId) },
        callee: {
          ...callee,
          place: 'endpointId' in place ? { endpointId: idHere(place.endpointId) } : place,
        },
      },
      dialogs,
    };
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

  #resume(document: AdoptedCall, owner: PreviousOwner, restored: RestoredLegs): void {
    const { call } = document;
    const legs = legsOf(call);
    const [caller, callee] = legs;
    const restore = (leg: PlacedLeg, listener: LegListener): Leg => {
      const made = this.#leg(leg, document, listener);
      restored.set(leg.legId, made);
      return made;
    };
    const leg = new RestoredCaller(
      { id: caller.legId, side: caller.dialog.side, sipCallId: caller.dialog.callId },
      (listener) => restore(caller, listener),
    );
    const { from, to, dialled: requestUri } = call;
    const incoming: IncomingCall = { leg, requestUri, from, to, sdp: undefined, headers: noHeaders };
    const resumed = this.parts.controller.resume(call, incoming, (listener) =>
      this.#holdingChannel(callee, listener, (ears) => restore(callee, ears)),
    );
    if (owner === 'other_node') for (const each of legs) sayWhere(each, restored);
    for (const each of legs) this.#askWhoIsBack(each, resumed);
  }

  /** The channel of the caller's trunk is held by its admission. */
  #holdingChannel({ place }: PlacedLeg, listener: LegListener, restore: (listener: LegListener) => Leg): Leg {
    if (!('trunk' in place)) return restore(listener);
    const release = this.parts.holdChannel(place.trunk);
    const ended = (end: LegEnd): void => {
      release?.();
      listener.ended(end);
    };
    try {
      return restore({ ...listener, ended });
    } catch (thrown) {
      release?.();
      throw thrown;
    }
  }

  /** What a browser has sent that was back before its call was answered 481: it may have left. */
  #askWhoIsBack({ place }: PlacedLeg, call: Pick<Call, 'browserIsBack'>): void {
    if (!('endpointId' in place)) return;
    const { endpointId } = place;
    if (this.parts.endpoints.find(endpointId)?.attached === true) call.browserIsBack(endpointId);
  }

  #leg({ legId: id, role, dialog, place }: PlacedLeg, { dialogs }: AdoptedCall, listener: LegListener): Leg {
    const { endpoints, trunkSide, credentialsOf } = this.parts;
    if (dialog.side === 'trunk') {
      const auth = 'trunk' in place ? credentialsOf(place.trunk) : undefined;
      return trunkSide.restore({ id, dialog, auth }, dialogs[dialog.dialogId], listener);
    }
    const endpointId = 'endpointId' in place ? place.endpointId : '';
    const endpoint = endpoints.find(endpointId);
    if (endpoint === undefined)
      throw failure('endpoint.lost', { detail: `who ${endpointId} is was not kept` });
    return endpoint.restore({ id, role, dialog }, listener);
  }

  /** Whoever still waits in the call is told. */
  #endLegs(document: AdoptedCall, restored: RestoredLegs): void {
    for (const leg of legsOf(document.call)) {
      try {
        const made = restored.get(leg.legId) ?? this.#leg(leg, document, silent);
        made.hangUp({ headers: [lostReason] });
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
function sayWhere({ legId, dialog }: PlacedLeg, restored: RestoredLegs): void {
  if (dialog.side !== 'trunk' || dialog.localSdp === undefined) return;
  restored
    .get(legId)
    ?.reoffer(dialog.localSdp)
    .then(
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
