import { element, setShown, setText } from '../../shared/dom.js';
import type { PhoneState } from '../state/phone-state.js';
import type { PhoneActions } from './actions.js';
import { iconButton } from './buttons.js';
import type { View } from './view.js';

/** How the last call ended, or why nothing happened: words first, the server's own as small print. */
export function createNotice(actions: PhoneActions): View {
  const title = element('strong', { id: 'notice' });
  const detail = element('small', { id: 'notice-detail' });
  const strip = element(
    'div',
    { class: 'notice' },
    element('p', {}, title, detail),
    iconButton('Dismiss', 'close', 'icon-button', () => actions.dismissNotice()),
  );
  const root = element('div', { attributes: { role: 'status' } }, strip);
  return {
    root,
    update({ calls, line }: PhoneState) {
      const { notice } = calls;
      setShown(strip, notice !== undefined && line.phase !== 'signed-out');
      strip.dataset['tone'] = notice?.tone ?? '';
      setText(title, notice?.title ?? '');
      setText(detail, notice?.detail ?? '');
    },
  };
}
