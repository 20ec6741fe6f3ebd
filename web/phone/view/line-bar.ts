import { element, setShown, setText } from '../../shared/dom.js';
import { icon } from '../../shared/icons.js';
import type { PhoneState } from '../state/phone-state.js';
import { lineAdvice, lineAnnouncement, lineWords } from '../words/line-words.js';
import type { PhoneActions } from './actions.js';
import { iconButton, textButton } from './buttons.js';
import type { View } from './view.js';

/** The bar on top: where the phone stands with the server, and the way to the settings. */
export function createLineBar(actions: PhoneActions, toggleSettings: () => boolean): View {
  const words = element('p', { class: 'line-words', id: 'line-status' });
  const advice = element('small', { class: 'line-advice', id: 'line-advice' });
  const announcement = element('p', { class: 'visually-hidden', attributes: { role: 'status' } });
  const retry = textButton('Try now', 'small', () => actions.retry());
  const settings = iconButton('Settings', 'settings', 'icon-button', () => {
    settings.setAttribute('aria-expanded', String(toggleSettings()));
  });
  settings.id = 'settings-button';
  settings.setAttribute('aria-expanded', 'false');
  const root = element(
    'header',
    { class: 'line-bar' },
    element('span', { class: 'line-mark' }, icon('brand')),
    element('span', { class: 'line-dot' }),
    words,
    announcement,
    retry,
    settings,
    advice,
  );
  return {
    root,
    update({ line }: PhoneState, nowMs: number) {
      setShown(root, line.phase !== 'signed-out');
      root.dataset['phase'] = line.phase;
      setText(words, lineWords(line, nowMs));
      words.title = line.phase === 'waiting' ? (line.detail ?? '') : '';
      setText(advice, lineAdvice(line));
      setShown(advice, lineAdvice(line) !== '');
      setText(announcement, lineAnnouncement(line));
      setShown(retry, line.phase === 'waiting' || line.phase === 'replaced');
      setText(retry, line.phase === 'replaced' ? 'Use it here' : 'Try now');
    },
  };
}
