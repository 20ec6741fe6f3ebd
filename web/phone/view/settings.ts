import { element, setShown } from '../../shared/dom.js';
import type { MicrophoneState, PhoneState } from '../state/phone-state.js';
import type { PhoneActions } from './actions.js';
import { textButton } from './buttons.js';
import type { View } from './view.js';

export interface SettingsView extends View {
  /** Opens or closes the panel and tells whether it is open now. */
  toggle(): boolean;
}

/** Microphone choice and the way out. */
export function createSettings(actions: PhoneActions): SettingsView {
  const choice = element('select', { id: 'microphone' });
  choice.addEventListener('change', () => actions.chooseMicrophone(choice.value));
  const root = element(
    'section',
    { class: 'settings', attributes: { 'aria-label': 'Settings' } },
    element('label', { text: 'Microphone', attributes: { for: 'microphone' } }),
    element('div', { class: 'field' }, choice),
    textButton('Sign out', 'quiet wide', () => actions.signOut()),
  );
  let open = false;
  let listed: MicrophoneState | undefined;

  const show = ({ list, chosenId }: MicrophoneState): void => {
    const known = list.some((microphone) => microphone.id === chosenId);
    const options = [{ id: '', label: 'Chosen by the browser' }, ...list];
    choice.replaceChildren(
      ...options.map(({ id, label }) => element('option', { text: label, attributes: { value: id } })),
    );
    choice.value = known ? chosenId : '';
  };

  return {
    root,
    toggle() {
      open = !open;
      setShown(root, open);
      if (open) actions.revealMicrophones();
      return open;
    },
    update({ line, microphones }: PhoneState) {
      setShown(root, open && line.phase !== 'signed-out');
      if (microphones === listed) return;
      listed = microphones;
      show(microphones);
    },
  };
}
