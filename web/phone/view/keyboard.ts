import { currentCall, incomingCall } from '../state/call-state.js';
import type { PhoneState, PhoneStore } from '../state/phone-state.js';
import { isDigit } from '../dial-string.js';
import type { PhoneActions } from './actions.js';
import type { DiallerView } from './dialler.js';

function isField(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
}

/** Escape ends what is going on: it declines a call that rings, else hangs up. */
function escape(state: PhoneState, actions: PhoneActions): void {
  const ringing = incomingCall(state.calls);
  const call = currentCall(state.calls);
  if (ringing !== undefined) actions.decline(ringing.id);
  else if (call !== undefined) actions.hangUp(call.id);
}

/** Enter answers when a phone rings and nothing is being dialled, else calls what was typed. */
function enter(state: PhoneState, actions: PhoneActions, dialler: DiallerView): boolean {
  const typed = dialler.typed();
  const ringing = incomingCall(state.calls);
  if (ringing !== undefined && typed === '') {
    actions.answer(ringing.id);
    return true;
  }
  if (currentCall(state.calls) !== undefined || typed === '') return false;
  dialler.call();
  return true;
}

/** A digit goes to the call when there is one, else to the number that is being dialled. */
function digit(state: PhoneState, key: string, actions: PhoneActions, dialler: DiallerView): void {
  const call = currentCall(state.calls);
  if (call?.phase === 'established') actions.sendDigit(call.id, key);
  else if (call === undefined) dialler.type(key);
}

/** True when the key press is meant for the phone and not for the browser or a sign-in field. */
function concernsPhone(event: KeyboardEvent, state: PhoneState): boolean {
  return (
    state.line.phase !== 'signed-out' && !(event.ctrlKey || event.altKey || event.metaKey || event.repeat)
  );
}

/** Lets the keyboard do what the buttons do, wherever the focus is. */
export function listenToKeyboard(store: PhoneStore, actions: PhoneActions, dialler: DiallerView): void {
  const typing = (key: string): void => {
    if (isDigit(key) || key === '+') digit(store.state, key, actions, dialler);
    if (key === 'Backspace') dialler.erase();
  };
  window.addEventListener('keydown', (event) => {
    if (!concernsPhone(event, store.state)) return;
    if (event.key === 'Escape') escape(store.state, actions);
    else if (event.key === 'Enter') {
      if (!(event.target instanceof HTMLButtonElement) && enter(store.state, actions, dialler))
        event.preventDefault();
    } else if (!isField(event.target)) typing(event.key);
  });
}
