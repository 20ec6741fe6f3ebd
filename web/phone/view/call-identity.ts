import { element, setText } from '../../shared/dom.js';
import type { CallState } from '../state/call-state.js';
import { callWords, duration } from '../words/call-words.js';

/** The first letter of a name, for the disc that stands for a face. */
export function initial(name: string): string {
  const letter = /\p{L}/u.exec(name)?.[0];
  return letter === undefined ? '#' : letter.toUpperCase();
}

export interface CallIdentity {
  readonly root: HTMLElement;
  /** @param isReachable the server and the other side can tell us of it when the call ends */
  show(call: CallState, nowMs: number, isReachable: boolean): void;
}

/** Who the call is with, where it stands, how long it has lasted. */
export function createCallIdentity(): CallIdentity {
  const face = element('div', { class: 'face', attributes: { 'aria-hidden': 'true' } });
  const name = element('h2', { id: 'call-name' });
  const address = element('p', { class: 'call-address', id: 'call-address' });
  const words = element('p', { class: 'call-words', id: 'call-status', attributes: { role: 'status' } });
  const timer = element('p', { class: 'call-timer', id: 'call-timer', attributes: { role: 'timer' } });
  return {
    root: element('div', { class: 'identity' }, face, name, address, words, timer),
    show(call, nowMs, isReachable) {
      setText(face, initial(call.party.name));
      setText(name, call.party.name);
      setText(address, call.party.address);
      setText(words, isReachable ? callWords(call) : 'The phone is open in another window');
      setText(
        timer,
        call.answeredAtMs === undefined || !isReachable ? '' : duration(nowMs - call.answeredAtMs),
      );
    },
  };
}
