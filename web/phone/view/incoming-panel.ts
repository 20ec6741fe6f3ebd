import { element, setShown, setText } from '../../shared/dom.js';
import { incomingCall } from '../state/call-state.js';
import type { PhoneState } from '../state/phone-state.js';
import type { PhoneActions } from './actions.js';
import { textButton } from './buttons.js';
import { initial } from './call-identity.js';
import type { View } from './view.js';

/** Someone calls: answer or decline; when already in a call, what becomes of that one is part of the choice. */
export function createIncomingPanel(actions: PhoneActions): View {
  let id: string | undefined;
  const withCall = (act: (id: string) => void) => (): void => {
    if (id !== undefined) act(id);
  };
  const face = element('div', { class: 'face ringing', attributes: { 'aria-hidden': 'true' } });
  const name = element('h2', { id: 'incoming-name' });
  const address = element('p', { class: 'call-address' });
  const words = element('p', { class: 'call-words', id: 'incoming-status', text: 'Incoming call' });
  const decline = textButton(
    'Decline',
    'hang-up',
    withCall((call) => actions.decline(call)),
    'handset',
  );
  decline.id = 'decline';
  const answer = textButton(
    'Answer',
    'call',
    withCall((call) => actions.answer(call)),
    'handset',
  );
  answer.id = 'answer';
  const replace = textButton(
    'End this call & answer',
    'quiet wide',
    withCall((call) => actions.answerAndEndOther(call)),
  );
  replace.id = 'answer-and-end';
  const root = element(
    'section',
    { class: 'incoming', attributes: { role: 'alert' } },
    element('div', { class: 'identity' }, face, words, name, address),
    element('div', { class: 'choices' }, decline, answer),
    replace,
  );
  return {
    root,
    update({ calls, line }: PhoneState) {
      const call = incomingCall(calls);
      id = call?.id;
      setShown(root, call !== undefined && line.phase !== 'signed-out');
      if (call === undefined) return;
      const second = calls.list.length > 1;
      root.classList.toggle('second', second);
      setText(face, initial(call.party.name));
      setText(name, call.party.name);
      setText(address, call.party.address);
      const label = answer.querySelector('span');
      if (label !== null) setText(label, second ? 'Hold & answer' : 'Answer');
      setShown(replace, second);
    },
  };
}
