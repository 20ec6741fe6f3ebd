import type { PageConfig } from '../../../gateway/contract/page-config.js';
import type { Store } from '../../shared/store.js';
import { noCalls, reduceCalls, type CallEvent, type CallsState } from './call-state.js';
import { reduceLine, type LineEvent, type LineState } from './line-state.js';

export interface Microphone {
  readonly id: string;
  readonly label: string;
}

export interface MicrophoneState {
  readonly list: readonly Microphone[];
  /** The chosen device, or empty for the browser's default. */
  readonly chosenId: string;
}

/** What the page knows of the server that served it. */
export type PageState =
  | { readonly phase: 'loading' }
  | { readonly phase: 'unreachable' }
  | { readonly phase: 'configured'; readonly config: PageConfig };

export interface PhoneState {
  readonly page: PageState;
  readonly line: LineState;
  readonly calls: CallsState;
  readonly microphones: MicrophoneState;
}

export type PhoneEvent =
  | LineEvent
  | CallEvent
  | { readonly type: 'page/configured'; readonly config: PageConfig }
  | { readonly type: 'page/unreachable' }
  | { readonly type: 'microphones/listed'; readonly list: readonly Microphone[] }
  | { readonly type: 'microphones/chosen'; readonly id: string };

export type PhoneStore = Store<PhoneState, PhoneEvent>;

/** The state of a page that has just been opened. */
export function initialPhoneState(user: string, microphoneId: string): PhoneState {
  return {
    page: { phase: 'loading' },
    line: { phase: 'signed-out', user },
    calls: noCalls,
    microphones: { list: [], chosenId: microphoneId },
  };
}

function isLineEvent(event: PhoneEvent): event is LineEvent {
  return event.type.startsWith('line/');
}

/** Hands each event to the part of the state that it belongs to. */
export function reducePhone(state: PhoneState, event: PhoneEvent): PhoneState {
  if (isLineEvent(event)) {
    const line = reduceLine(state.line, event);
    return line === state.line ? state : { ...state, line };
  }
  switch (event.type) {
    case 'page/configured':
      return { ...state, page: { phase: 'configured', config: event.config } };
    case 'page/unreachable':
      return { ...state, page: { phase: 'unreachable' } };
    case 'microphones/listed':
      return { ...state, microphones: { ...state.microphones, list: event.list } };
    case 'microphones/chosen':
      return { ...state, microphones: { ...state.microphones, chosenId: event.id } };
    default: {
      const calls = reduceCalls(state.calls, event);
      return calls === state.calls ? state : { ...state, calls };
    }
  }
}
