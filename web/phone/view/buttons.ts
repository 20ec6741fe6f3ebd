import { element } from '../../shared/dom.js';
import { icon, type IconName } from '../../shared/icons.js';

/** A button with words, and an icon before them when given. */
export function textButton(
  label: string,
  look: string,
  pressed: () => void,
  picture?: IconName,
): HTMLButtonElement {
  const button = element('button', { class: `button ${look}`, attributes: { type: 'button' } });
  if (picture !== undefined) button.append(icon(picture));
  button.append(element('span', { text: label }));
  button.addEventListener('click', pressed);
  return button;
}

/** A button with an icon only; the label is for screen readers and as a tooltip. */
export function iconButton(
  label: string,
  picture: IconName,
  look: string,
  pressed: () => void,
): HTMLButtonElement {
  const button = element('button', {
    class: look,
    attributes: { type: 'button', 'aria-label': label, title: label },
  });
  button.append(icon(picture));
  button.addEventListener('click', pressed);
  return button;
}

/** A round button with an icon and its words below, that can be on or off. */
export interface ToggleButton {
  readonly root: HTMLButtonElement;
  show(state: {
    readonly on: boolean;
    readonly label: string;
    readonly picture: IconName;
    readonly enabled: boolean;
  }): void;
}

export function toggleButton(id: string, pressed: () => void): ToggleButton {
  const face = element('span', { class: 'toggle-face' });
  const words = element('span', { class: 'toggle-label' });
  const root = element('button', { class: 'toggle', id, attributes: { type: 'button' } }, face, words);
  root.addEventListener('click', pressed);
  let shown: IconName | undefined;
  return {
    root,
    show({ on, label, picture, enabled }) {
      root.setAttribute('aria-pressed', String(on));
      root.disabled = !enabled;
      if (words.textContent !== label) words.textContent = label;
      if (shown === picture) return;
      shown = picture;
      face.replaceChildren(icon(picture));
    },
  };
}
