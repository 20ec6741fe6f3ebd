import type { Words } from '../words/failure-words.js';

/** Why the phone has no connection and waits for the next attempt. */
export type WaitCause = 'lost' | 'unreachable' | 'offline' | 'refused' | 'denied' | 'devices';

/** Where the phone stands with the server: one phase at a time, each with what only it needs. */
export type LineState =
  | { readonly phase: 'signed-out'; readonly user: string; readonly refusal?: Words }
  | { readonly phase: 'connecting'; readonly user: string }
  | { readonly phase: 'registering'; readonly user: string }
  | { readonly phase: 'ready'; readonly user: string }
  | {
      readonly phase: 'waiting';
      readonly user: string;
      readonly cause: WaitCause;
      readonly retryAtMs: number;
      readonly detail?: string;
    }
  /** Another window of the browser has the line; `inCall` when it, or yet another one, has a call. */
  | { readonly phase: 'replaced'; readonly user: string; readonly inCall: boolean };

export type LineEvent =
  | { readonly type: 'line/sign-in'; readonly user: string }
  | { readonly type: 'line/connecting' }
  | { readonly type: 'line/connected' }
  | { readonly type: 'line/registered' }
  | { readonly type: 'line/refused'; readonly refusal: Words }
  | {
      readonly type: 'line/waiting';
      readonly cause: WaitCause;
      readonly retryAtMs: number;
      readonly detail?: string;
    }
  | { readonly type: 'line/replaced'; readonly inCall?: boolean }
  | { readonly type: 'line/sign-out' };

/**
 * Which events each phase takes; any other event is late news from a line that has moved on, and is dropped. A refresh
 * of the registration leaves `ready` alone: the person has nothing to do about it.
 */
const taken: Readonly<Record<LineState['phase'], readonly LineEvent['type'][]>> = {
  'signed-out': ['line/sign-in'],
  connecting: ['line/connected', 'line/waiting', 'line/refused', 'line/replaced', 'line/sign-out'],
  registering: ['line/registered', 'line/waiting', 'line/refused', 'line/replaced', 'line/sign-out'],
  ready: ['line/waiting', 'line/refused', 'line/replaced', 'line/sign-out'],
  waiting: ['line/connecting', 'line/waiting', 'line/replaced', 'line/sign-out'],
  replaced: ['line/connecting', 'line/replaced', 'line/sign-out'],
};

/** The next state of the line; the same object when the event does not fit the phase. */
export function reduceLine(state: LineState, event: LineEvent): LineState {
  if (!taken[state.phase].includes(event.type)) return state;
  const user = state.user;
  switch (event.type) {
    case 'line/sign-in':
      return { phase: 'connecting', user: event.user };
    case 'line/connecting':
      return { phase: 'connecting', user };
    case 'line/connected':
      return { phase: 'registering', user };
    case 'line/registered':
      return { phase: 'ready', user };
    case 'line/refused':
      return { phase: 'signed-out', user, refusal: event.refusal };
    case 'line/waiting': {
      const { cause, retryAtMs, detail } = event;
      return { phase: 'waiting', user, cause, retryAtMs, ...(detail === undefined ? {} : { detail }) };
    }
    case 'line/replaced':
      return { phase: 'replaced', user, inCall: event.inCall === true };
    case 'line/sign-out':
      return { phase: 'signed-out', user };
  }
}
