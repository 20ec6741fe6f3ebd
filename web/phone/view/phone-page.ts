import { element } from '../../shared/dom.js';
import { incomingCall } from '../state/call-state.js';
import type { PhoneState, PhoneStore } from '../state/phone-state.js';
import type { PhoneActions } from './actions.js';
import { createCallPanel } from './call-panel.js';
import { createDialler } from './dialler.js';
import { createIncomingPanel } from './incoming-panel.js';
import { listenToKeyboard } from './keyboard.js';
import { createLineBar } from './line-bar.js';
import { createNotice } from './notice.js';
import { createSettings } from './settings.js';
import { createSignIn } from './sign-in.js';
import type { View } from './view.js';

const tickMs = 250;

/** The window's title tells what the page would say if one looked. */
function title(state: PhoneState): string {
  const ringing = incomingCall(state.calls);
  if (ringing !== undefined) return `${ringing.party.name} is calling`;
  const [call] = state.calls.list;
  return call === undefined ? 'Phone · webtrunk' : `${call.party.name} · webtrunk`;
}

/** Gives the focus to the number field again once the last call is over, where that opens no on-screen keyboard. */
function refocus(before: PhoneState, after: PhoneState): void {
  const over = before.calls.list.length > 0 && after.calls.list.length === 0;
  const focusIsFree = document.activeElement === null || document.activeElement === document.body;
  if (over && focusIsFree && matchMedia('(pointer: fine)').matches) document.getElementById('dial')?.focus();
}

/** True when something on the page counts seconds. */
function counts(state: PhoneState): boolean {
  return state.line.phase === 'waiting' || state.calls.list.some((call) => call.answeredAtMs !== undefined);
}

/** Puts the page together and keeps it in step with the store. */
export function showPhone(host: HTMLElement, store: PhoneStore, actions: PhoneActions): void {
  const settings = createSettings(actions);
  const dialler = createDialler(actions);
  const views: readonly View[] = [
    createLineBar(actions, () => settings.toggle()),
    settings,
    createSignIn(actions, store.state.line.user),
    createIncomingPanel(actions),
    createNotice(actions),
    createCallPanel(actions),
    dialler,
  ];
  host.replaceChildren(element('div', { class: 'card' }, ...views.map((view) => view.root)));
  listenToKeyboard(store, actions, dialler);

  const draw = (): void => {
    const nowMs = Date.now();
    for (const view of views) view.update(store.state, nowMs);
    const wanted = title(store.state);
    if (document.title !== wanted) document.title = wanted;
  };
  let before = store.state;
  store.subscribe((after) => {
    draw();
    refocus(before, after);
    before = after;
  });
  draw();
  setInterval(() => {
    if (counts(store.state)) draw();
  }, tickMs);
}
