/** The value of Session-Expires (RFC 4028 §4). */
export interface SessionExpires {
  readonly seconds: number;
  readonly refresher: 'uac' | 'uas' | undefined;
}

/** Shortest interval that is accepted from a peer (RFC 4028 §4). */
export const minSessionSeconds = 90;

/** Reads Session-Expires; undefined when it is absent or malformed. */
export function parseSessionExpires(value: string | undefined): SessionExpires | undefined {
  if (value === undefined) return undefined;
  const [seconds = '', ...params] = value.split(';').map((part) => part.trim());
  if (!/^[0-9]{1,9}$/.test(seconds)) return undefined;
  const refresher = params
    .find((param) => /^refresher\s*=/i.test(param))
    ?.split('=')[1]
    ?.trim()
    .toLowerCase();
  return {
    seconds: Number(seconds),
    refresher: refresher === 'uac' || refresher === 'uas' ? refresher : undefined,
  };
}
