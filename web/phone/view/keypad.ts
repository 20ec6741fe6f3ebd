import { element } from '../../shared/dom.js';
import { keypadKeys } from '../dial-string.js';

const letters: Readonly<Record<string, string>> = {
  '2': 'ABC',
  '3': 'DEF',
  '4': 'GHI',
  '5': 'JKL',
  '6': 'MNO',
  '7': 'PQRS',
  '8': 'TUV',
  '9': 'WXYZ',
  '0': '+',
};

const spoken: Readonly<Record<string, string>> = { '*': 'star', '#': 'hash' };
const longPressMs = 500;

/** The twelve keys. Holding 0 gives +, as on every phone; `plus` says whether that makes sense here. */
export function createKeypad(label: string, pressed: (key: string) => void, plus: boolean): HTMLElement {
  const pad = element('div', { class: 'keypad', attributes: { role: 'group', 'aria-label': label } });
  for (const key of keypadKeys) {
    const button = element('button', {
      class: 'key',
      attributes: { type: 'button', 'data-key': key, 'aria-label': spoken[key] ?? key },
    });
    button.append(
      element('span', { class: 'key-digit', text: key }),
      element('span', { class: 'key-letters', text: letters[key] ?? '' }),
    );
    if (key === '0' && plus)
      pressOrHold(
        button,
        () => pressed('0'),
        () => pressed('+'),
      );
    else button.addEventListener('click', () => pressed(key));
    pad.append(button);
  }
  return pad;
}

function pressOrHold(button: HTMLButtonElement, press: () => void, hold: () => void): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let held = false;
  button.addEventListener('pointerdown', () => {
    held = false;
    timer = setTimeout(() => {
      held = true;
      hold();
    }, longPressMs);
  });
  for (const end of ['pointerup', 'pointerleave', 'pointercancel'])
    button.addEventListener(end, () => clearTimeout(timer));
  button.addEventListener('click', () => {
    if (!held) press();
    held = false;
  });
}
