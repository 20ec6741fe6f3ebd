import { element, setShown, setText } from '../../shared/dom.js';
import type { CallState } from '../state/call-state.js';
import type { PhoneActions } from './actions.js';
import { toggleButton, type ToggleButton } from './buttons.js';
import { createKeypad } from './keypad.js';

export interface CallControls {
  /** The digits sent so far and, when asked for, the keypad. */
  readonly digits: HTMLElement;
  readonly toggles: HTMLElement;
  show(call: CallState | undefined): void;
}

interface Toggles {
  readonly mute: ToggleButton;
  readonly keypad: ToggleButton;
  readonly hold: ToggleButton;
}

function showToggles({ mute, keypad, hold }: Toggles, call: CallState, keypadOpen: boolean): void {
  const enabled = call.phase === 'established';
  const held = call.hold === 'held' || call.hold === 'resuming';
  const steady = call.hold === 'none' || call.hold === 'held';
  mute.show({
    on: call.muted,
    label: call.muted ? 'Unmute' : 'Mute',
    picture: call.muted ? 'muted' : 'microphone',
    enabled,
  });
  keypad.show({ on: keypadOpen, label: 'Keypad', picture: 'keypad', enabled });
  hold.show({
    on: held,
    label: held ? 'Resume' : 'Hold',
    picture: held ? 'play' : 'pause',
    enabled: enabled && steady,
  });
}

/** Mute, keypad, hold: what can be done during a call. */
export function createCallControls(actions: PhoneActions): CallControls {
  let call: CallState | undefined;
  let keypadOpen = false;
  const withCall = (act: (call: CallState) => void) => (): void => {
    if (call !== undefined) act(call);
  };
  const sent = element('p', {
    class: 'call-digits',
    id: 'call-digits',
    attributes: { 'aria-label': 'Digits sent' },
  });
  const pad = createKeypad('Keypad', (key) => withCall(({ id }) => actions.sendDigit(id, key))(), false);
  const toggles: Toggles = {
    mute: toggleButton(
      'mute',
      withCall(({ id, muted }) => actions.setMuted(id, !muted)),
    ),
    keypad: toggleButton('keypad-toggle', () => {
      keypadOpen = !keypadOpen;
      draw();
    }),
    hold: toggleButton(
      'hold',
      withCall(({ id, hold }) => actions.setHeld(id, hold === 'none')),
    ),
  };

  const draw = (): void => {
    if (call === undefined) return;
    setText(sent, call.digits);
    setShown(pad, keypadOpen && call.phase === 'established');
    showToggles(toggles, call, keypadOpen);
  };

  return {
    digits: element('div', { class: 'digits' }, sent, pad),
    toggles: element('div', { class: 'toggles' }, toggles.mute.root, toggles.keypad.root, toggles.hold.root),
    show(shown) {
      if (shown?.id !== call?.id) keypadOpen = false;
      call = shown;
      draw();
    },
  };
}
