const namespace = 'http://www.w3.org/2000/svg';

/** Stroked shapes on a 24 × 24 grid; a name with `fill` is filled instead. */
const shapes = {
  brand: { paths: ['M4 10v4M8 7v10M12 10v4M16 5v14M20 9v6'], fill: false },
  handset: {
    paths: [
      'M12 8.6c4.3 0 7.6 1.3 9.5 3.3.7.7.9 1.7.6 2.6l-.5 1.5c-.2.7-.9 1.1-1.6 1l-3-.6c-.6-.1-1.1-.6-1.2-1.2l-.2-1.7a12.5 12.5 0 0 0-7.2 0l-.2 1.7c-.1.6-.6 1.1-1.2 1.2l-3 .6c-.7.1-1.4-.3-1.6-1l-.5-1.5c-.3-.9-.1-1.9.6-2.6C4.4 9.9 7.7 8.6 12 8.6z',
    ],
    fill: true,
  },
  microphone: {
    paths: [
      'M12 3.5a2.5 2.5 0 0 1 2.5 2.5v5a2.5 2.5 0 0 1-5 0V6A2.5 2.5 0 0 1 12 3.5z',
      'M6 11a6 6 0 0 0 12 0M12 17v3.5M9 20.5h6',
    ],
    fill: false,
  },
  muted: {
    paths: [
      'M14.5 8V6a2.5 2.5 0 0 0-4.8-1M9.5 9.5V11a2.5 2.5 0 0 0 3.9 2.1',
      'M6 11a6 6 0 0 0 9.7 4.7M17.6 12.8A6 6 0 0 0 18 11M12 17v3.5M9 20.5h6M4 4l16 16',
    ],
    fill: false,
  },
  pause: { paths: ['M9 6v12M15 6v12'], fill: false },
  play: { paths: ['M8 5.5v13l10.5-6.5z'], fill: false },
  keypad: {
    paths: ['M6 6h.01M12 6h.01M18 6h.01M6 12h.01M12 12h.01M18 12h.01M6 18h.01M12 18h.01M18 18h.01'],
    fill: false,
  },
  settings: {
    paths: [
      'M4 7h9M17 7h3M4 17h3M11 17h9',
      'M15 9a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM9 19a2 2 0 1 0 0-4 2 2 0 0 0 0 4z',
    ],
    fill: false,
  },
  backspace: {
    paths: ['M9 6h10a1.5 1.5 0 0 1 1.5 1.5v9A1.5 1.5 0 0 1 19 18H9l-5.5-6z', 'M11.5 9.5l5 5M16.5 9.5l-5 5'],
    fill: false,
  },
  close: { paths: ['M6.5 6.5l11 11M17.5 6.5l-11 11'], fill: false },
} as const satisfies Record<string, { paths: readonly string[]; fill: boolean }>;

export type IconName = keyof typeof shapes;

/** Makes an icon that assistive technology skips: the button around it has the words. */
export function icon(name: IconName): SVGSVGElement {
  const { paths, fill } = shapes[name];
  const svg = document.createElementNS(namespace, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('class', fill ? 'icon icon-filled' : 'icon');
  svg.dataset['icon'] = name;
  for (const shape of paths) {
    const path = document.createElementNS(namespace, 'path');
    path.setAttribute('d', shape);
    svg.append(path);
  }
  return svg;
}
