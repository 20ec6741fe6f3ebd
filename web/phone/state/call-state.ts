import type { Words } from '../words/failure-words.js';

/** Who is at the other end, as far as the signalling says. */
export interface Party {
  readonly name: string;
  /** The number or address, empty when the name already says it. */
  readonly address: string;
}

export type CallPhase =
  /** Ours: asked the server, nothing heard yet. */
  | 'calling'
  /** Ours: the other side's phone rings (180), or its network speaks to us (183). */
  | 'ringing'
  /** Theirs: our phone rings. */
  | 'incoming'
  /** Theirs: we said yes, the microphone and the network are being set up. */
  | 'answering'
  | 'established';

/** Hold is asked of the other side by re-INVITE: in between it is neither on nor off. */
export type HoldPhase = 'none' | 'holding' | 'held' | 'resuming';

export interface CallState {
  readonly id: string;
  readonly phase: CallPhase;
  readonly party: Party;
  readonly startedAtMs: number;
  /** Set with phase `established`. */
  readonly answeredAtMs: number | undefined;
  readonly muted: boolean;
  readonly hold: HoldPhase;
  readonly heldByOther: boolean;
  /** Whether media flows: `lost` when the network path broke during the call. */
  readonly sound: 'none' | 'connecting' | 'on' | 'lost';
  /** The other side's network already sends sound (RFC 3960), so that we play no ringing tone of our own. */
  readonly earlyMedia: boolean;
  /** Digits sent during the call, for the eye. */
  readonly digits: string;
}

/** How the last call ended, shown until the next one or until it is dismissed. */
export interface Notice extends Words {
  readonly tone: 'info' | 'problem';
}

export interface CallsState {
  readonly list: readonly CallState[];
  readonly notice: Notice | undefined;
}

export const noCalls: CallsState = { list: [], notice: undefined };

export type CallEvent =
  | { readonly type: 'call/added'; readonly call: CallState }
  | { readonly type: 'call/progress'; readonly id: string; readonly earlyMedia: boolean }
  | { readonly type: 'call/answering'; readonly id: string }
  | { readonly type: 'call/established'; readonly id: string; readonly atMs: number }
  | { readonly type: 'call/party'; readonly id: string; readonly party: Party }
  | { readonly type: 'call/muted'; readonly id: string; readonly muted: boolean }
  | { readonly type: 'call/hold'; readonly id: string; readonly hold: HoldPhase }
  | { readonly type: 'call/held-by-other'; readonly id: string; readonly held: boolean }
  | { readonly type: 'call/sound'; readonly id: string; readonly sound: CallState['sound'] }
  | { readonly type: 'call/digit'; readonly id: string; readonly digit: string }
  | { readonly type: 'call/ended'; readonly id: string; readonly notice: Notice | undefined }
  | { readonly type: 'notice/shown'; readonly notice: Notice }
  | { readonly type: 'notice/dismissed' };

type ChangeEvent = Exclude<
  CallEvent,
  { type: 'call/added' | 'call/ended' | 'notice/shown' | 'notice/dismissed' }
>;

/** A call as it begins: ours (`calling`) or theirs (`incoming`). */
export function newCall(
  id: string,
  phase: 'calling' | 'incoming',
  party: Party,
  startedAtMs: number,
): CallState {
  return {
    id,
    phase,
    party,
    startedAtMs,
    answeredAtMs: undefined,
    muted: false,
    hold: 'none',
    heldByOther: false,
    sound: 'none',
    earlyMedia: false,
    digits: '',
  };
}

/** A call that was established in an earlier page and goes on in this one; its sound is not there yet. */
export function returnedCall(
  id: string,
  left: Pick<CallState, 'party' | 'startedAtMs' | 'answeredAtMs' | 'muted' | 'digits'> & {
    readonly held: boolean;
  },
): CallState {
  const { party, startedAtMs, answeredAtMs, muted, held, digits } = left;
  const hold = held ? 'held' : 'none';
  const fresh = newCall(id, 'calling', party, startedAtMs);
  return { ...fresh, phase: 'established', answeredAtMs, muted, hold, digits, sound: 'connecting' };
}

const mayBecome: Readonly<Record<CallPhase, readonly CallPhase[]>> = {
  calling: ['ringing', 'established'],
  ringing: ['ringing', 'established'],
  incoming: ['answering'],
  answering: ['established'],
  established: [],
};

/** The call in the new phase, or unchanged when the table does not allow the step. */
function step(call: CallState, phase: CallPhase, more: Partial<CallState> = {}): CallState {
  return mayBecome[call.phase].includes(phase) ? { ...call, ...more, phase } : call;
}

function change(call: CallState, event: ChangeEvent): CallState {
  switch (event.type) {
    case 'call/progress':
      return step(call, 'ringing', { earlyMedia: call.earlyMedia || event.earlyMedia });
    case 'call/answering':
      return step(call, 'answering');
    case 'call/established':
      return step(call, 'established', { answeredAtMs: event.atMs });
    case 'call/party':
      return { ...call, party: event.party };
    case 'call/muted':
      return { ...call, muted: event.muted };
    case 'call/hold':
      return { ...call, hold: event.hold };
    case 'call/held-by-other':
      return call.heldByOther === event.held ? call : { ...call, heldByOther: event.held };
    case 'call/sound':
      return call.sound === event.sound ? call : { ...call, sound: event.sound };
    case 'call/digit':
      return { ...call, digits: call.digits + event.digit };
  }
}

/** The next state of all calls; the same object when nothing changed. */
export function reduceCalls(state: CallsState, event: CallEvent): CallsState {
  switch (event.type) {
    case 'notice/shown':
      return { ...state, notice: event.notice };
    case 'notice/dismissed':
      return state.notice === undefined ? state : { ...state, notice: undefined };
    case 'call/added':
      return { list: [...state.list, event.call], notice: undefined };
    case 'call/ended': {
      const list = state.list.filter((call) => call.id !== event.id);
      return list.length === state.list.length ? state : { list, notice: event.notice ?? state.notice };
    }
    default: {
      const call = state.list.find((candidate) => candidate.id === event.id);
      if (call === undefined) return state;
      const next = change(call, event);
      if (next === call) return state;
      return { ...state, list: state.list.map((candidate) => (candidate === call ? next : candidate)) };
    }
  }
}

/** The call that has the ear and the mouth: the one that is neither ringing here nor on hold, else the first on hold. */
export function currentCall(state: CallsState): CallState | undefined {
  const answered = state.list.filter((call) => call.phase !== 'incoming');
  return answered.find((call) => call.hold === 'none' || call.hold === 'resuming') ?? answered[0];
}

/** The call that rings here, if any. */
export function incomingCall(state: CallsState): CallState | undefined {
  return state.list.find((call) => call.phase === 'incoming');
}
