import type { HeaderList, HeaderView } from './leg.js';

interface SessionExpires {
  readonly seconds: number;
  readonly refresher: 'uac' | 'uas' | undefined;
}

/** The Session-Expires header (RFC 4028 §4); undefined when absent or unreadable. */
export function sessionExpiresOf(headers: HeaderView): SessionExpires | undefined {
  const [first = '', ...params] = (headers.get('session-expires') ?? '').split(';');
  const seconds = Number(first.trim());
  if (first.trim() === '' || !Number.isSafeInteger(seconds) || seconds <= 0) return undefined;
  const refresher = params
    .map((param) => param.trim().toLowerCase().split('='))
    .find(([name]) => name?.trim() === 'refresher')?.[1]
    ?.trim();
  return { seconds, refresher: refresher === 'uac' || refresher === 'uas' ? refresher : undefined };
}

/**
 * The header fields of our 2xx to an INVITE or UPDATE, by which its sender goes on with the session timer that it asked for;
 * none when it asked for none (RFC 4028 §9). Who does not say who refreshes does so.
 */
export function sessionAnswer(request: HeaderView): HeaderList {
  const wanted = sessionExpiresOf(request);
  if (wanted === undefined) return [];
  const refresher = wanted.refresher ?? 'uac';
  const expires = ['Session-Expires', `${wanted.seconds};refresher=${refresher}`] as const;
  return refresher === 'uac' ? [expires, ['Require', 'timer']] : [expires];
}

/** Of its interval, the part over which the first refreshes of sessions that were taken over are spread. */
const spread = 1 / 60;

/**
 * When to refresh a session (RFC 4028) that an earlier process has refreshed, in ms from its take-over. Nobody knows when
 * that was last done: soon, then, but not at once for all the sessions of a process that has died.
 *
 * @param localTag random; says which of them goes first
 */
export function refreshAfterTakeOverMs(seconds: number, localTag: string): number {
  const turn = Number.parseInt(localTag.slice(0, 4), 16) / 0x1_00_00;
  return Number.isFinite(turn) ? Math.round(seconds * 1000 * spread * turn) : 0;
}
