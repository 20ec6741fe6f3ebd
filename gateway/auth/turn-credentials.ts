import { createHmac } from 'node:crypto';

/** A user name and a password for a TURN server. */
export interface TurnCredentials {
  readonly username: string;
  readonly credential: string;
}

/**
 * Credentials by the "REST API for access to TURN services" that coturn and others speak: the user name is when they end
 * (seconds since 1970) and for whom they are, the password its HMAC-SHA1 with the secret that the TURN server knows too.
 */
export function turnCredentials(secret: string, aor: string, untilMs: number): TurnCredentials {
  const username = `${Math.floor(untilMs / 1_000)}:${aor.replace(/^sips?:/, '')}`;
  return { username, credential: createHmac('sha1', secret).update(username).digest('base64') };
}
