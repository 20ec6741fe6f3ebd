import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../sip/clock.js';

const maxTicketChars = 1_024;

/**
 * Tickets for the HTTP API of whoever has signed in over SIP: who it is and until when, signed. They need no table, and the
 * processes that share a secret take each other's.
 */
export class ApiTickets {
  readonly #key: Buffer;

  constructor(
    secret: string,
    private readonly clock: Clock,
  ) {
    // Not the secret itself: what is signed with it elsewhere must not pass for a ticket.
    this.#key = createHmac('sha256', secret).update('webtrunk api ticket').digest();
  }

  /** A ticket for `aor` that lasts until then. */
  issue(aor: string, untilMs: number): string {
    const claim = Buffer.from(`${Math.floor(untilMs / 1_000)} ${aor}`).toString('base64url');
    return `${claim}.${this.#sign(claim).toString('base64url')}`;
  }

  /** Whose ticket it is; undefined when it is none of ours, or its time is over. */
  check(ticket: string): string | undefined {
    if (ticket.length > maxTicketChars) return undefined;
    const [claim = '', signature = ''] = ticket.split('.');
    const given = Buffer.from(signature, 'base64url');
    const right = this.#sign(claim);
    if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined;
    const [seconds = '', aor] = Buffer.from(claim, 'base64url').toString().split(' ');
    return Number(seconds) * 1_000 > this.clock.nowMs() ? aor : undefined;
  }

  #sign(claim: string): Buffer {
    return createHmac('sha256', this.#key).update(claim).digest();
  }
}
