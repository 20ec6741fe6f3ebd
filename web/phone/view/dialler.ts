import { element, setShown } from '../../shared/dom.js';
import type { PhoneState } from '../state/phone-state.js';
import type { PhoneActions } from './actions.js';
import { iconButton, textButton } from './buttons.js';
import { createKeypad } from './keypad.js';
import type { View } from './view.js';

export interface DiallerView extends View {
  /** Types a character at the end, as a key press anywhere on the page does. */
  type(character: string): void;
  /** Takes the last character away. */
  erase(): void;
  typed(): string;
  /** Calls what is typed. */
  call(): void;
}

/** Number, keypad, call button. */
export function createDialler(actions: PhoneActions): DiallerView {
  const field = element('input', {
    id: 'dial',
    class: 'dial-field',
    attributes: {
      type: 'text',
      inputmode: 'tel',
      autocomplete: 'off',
      autocapitalize: 'none',
      spellcheck: 'false',
      placeholder: 'Number or name',
      'aria-label': 'Number or name',
    },
  });
  const erase = (): void => {
    field.value = field.value.slice(0, -1);
    shape();
  };
  const eraser = iconButton('Delete the last digit', 'backspace', 'icon-button', erase);
  const call = textButton('Call', 'call wide', () => dial(), 'handset');
  call.id = 'call';
  const shape = (): void => {
    eraser.classList.toggle('invisible', field.value === '');
    field.classList.toggle('long', field.value.length > 11);
  };
  const dial = (): void => {
    if (call.disabled || !actions.dial(field.value)) return;
    field.value = '';
    shape();
  };
  const type = (character: string): void => {
    field.value += character;
    shape();
  };
  field.addEventListener('input', shape);
  shape();

  const root = element(
    'section',
    { class: 'dialler', attributes: { 'aria-label': 'Dial' } },
    element('div', { class: 'dial-line' }, field, eraser),
    createKeypad('Keypad', type, true),
    call,
  );
  return {
    root,
    type,
    erase,
    typed: () => field.value,
    call: dial,
    update({ line, calls }: PhoneState) {
      setShown(root, line.phase !== 'signed-out' && calls.list.length === 0);
      call.disabled = line.phase !== 'ready';
    },
  };
}
