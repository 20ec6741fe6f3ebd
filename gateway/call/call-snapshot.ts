import type { Clock } from '../../sip/clock.js';
import { failure } from '../../sip/failure.js';
import type { CallerLeg, DialogSnapshot, IncomingCall, Leg, LegSide, Party } from '../../sip/leg.js';
import { AttemptPatience } from './attempt-patience.js';
import type { RecordedTimes } from './call-record.js';
import type { Attempt, AttemptOutcome } from './callee-search.js';
import type { CallSource, CalleePlace, LegMedia } from './ports.js';

/** One leg of a call that another process may go on with. */
export interface LegSnapshot {
  readonly legId: string;
  readonly dialog: DialogSnapshot;
  /** The last description of a browser that talks with another one by the media engine; a PBX's is in its dialog. */
  readonly said?: string | undefined;
}

export interface CalleeSnapshot extends LegSnapshot {
  readonly side: LegSide;
  readonly label: string;
  readonly place: CalleePlace;
  readonly media: LegMedia;
  readonly invitedMs: number;
}

/** An established call in plain values. */
export interface CallSnapshot extends RecordedTimes {
  readonly id: string;
  readonly dialled: string;
  readonly from: Party;
  readonly to: Party;
  readonly source: CallSource;
  readonly caller: LegSnapshot;
  readonly callee: CalleeSnapshot;
  readonly attempts: readonly AttemptOutcome[];
  readonly holding: readonly ('caller' | 'callee')[];
  /** As the media engine has written it; undefined when the media ends with the process. */
  readonly media: unknown;
}

/** What a call was begun with. */
interface RoutedCall {
  readonly id: string;
  readonly incoming: IncomingCall;
  readonly source: CallSource;
  readonly caller: CallerLeg;
}

/** Undefined when one of the legs could not be taken over. */
export function snapshotOf(
  { id, incoming, source, caller }: RoutedCall,
  { leg, target, startedMs: invitedMs }: Attempt,
  descriptionOf: (legId: string) => string | undefined,
  rest: RecordedTimes & Pick<CallSnapshot, 'attempts' | 'holding' | 'media'>,
): CallSnapshot | undefined {
  const [callerDialog, calleeDialog] = [caller.snapshot(), leg.snapshot()];
  const { side, label, media, place } = target;
  if (callerDialog === undefined || calleeDialog === undefined) return undefined;
  if (place === undefined) return undefined;
  const isKept = rest.media !== undefined && source.side === 'browser' && side === 'browser';
  const saidBy = (legId: string) => (isKept ? { said: descriptionOf(legId) } : {});
  return {
    id,
    dialled: incoming.requestUri,
    from: incoming.from,
    to: incoming.to,
    source,
    caller: { legId: caller.id, dialog: callerDialog, ...saidBy(caller.id) },
    callee: {
      ...{ legId: leg.id, dialog: calleeDialog, ...saidBy(leg.id) },
      ...{ side, label, place, media, invitedMs },
    },
    ...rest,
  };
}

/** The attempt that has led to a call of an earlier process. */
export function restoredAttempt(callee: CalleeSnapshot, leg: Leg, clock: Clock): Attempt {
  const { side, label, place, media, invitedMs } = callee;
  const nobody = { uri: 'sip:restored.invalid' };
  return {
    leg,
    target: {
      ...{ side, label, place, media, headers: [], from: nobody, to: nobody },
      invite: () => {
        throw failure('dialog.unknown', { detail: 'the call is answered' });
      },
    },
    startedMs: invitedMs,
    earlySdp: undefined,
    patience: new AttemptPatience({}, clock, () => undefined),
  };
}
