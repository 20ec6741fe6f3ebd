import type { LineState, WaitCause } from '../state/line-state.js';

const causeWords: Readonly<Record<WaitCause, string>> = {
  lost: 'Connection lost',
  unreachable: 'Server not reachable',
  offline: 'You are offline',
  refused: 'The server is not ready',
  denied: 'The server refused the sign-in',
  devices: 'Too many devices are signed in',
};

/** What the person can do about it, beyond waiting; empty when there is nothing. */
export function lineAdvice(line: LineState): string {
  if (line.phase !== 'waiting' || line.cause !== 'devices') return '';
  return 'Sign out where you no longer need the phone. One that is gone makes room after some minutes.';
}

/** Where the phone stands with the server, in one sentence. */
export function lineWords(line: LineState, nowMs: number): string {
  switch (line.phase) {
    case 'signed-out':
      return line.refusal?.title ?? '';
    case 'connecting':
      return 'Connecting…';
    case 'registering':
      return 'Signing in…';
    case 'ready':
      return `Connected as ${line.user}`;
    case 'replaced':
      return line.inCall ? 'In a call in another window' : 'Open in another window';
    case 'waiting': {
      const seconds = Math.max(0, Math.ceil((line.retryAtMs - nowMs) / 1000));
      return seconds === 0
        ? `${causeWords[line.cause]}, trying again…`
        : `${causeWords[line.cause]}, trying again in ${seconds} s…`;
    }
  }
}

/** The sentence without its countdown, for screen readers: a live region that counts seconds is noise. */
export function lineAnnouncement(line: LineState): string {
  return line.phase === 'waiting' ? `${causeWords[line.cause]}, trying again` : lineWords(line, 0);
}
