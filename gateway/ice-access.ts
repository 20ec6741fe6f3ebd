import type { Clock } from '../sip/clock.js';
import { ApiTickets } from './auth/api-ticket.js';
import { turnCredentials } from './auth/turn-credentials.js';
import type { Config } from './config/config.js';
import type { IceServersAnswer } from './contract/page-config.js';

type IceConfig = Config['ice'];

const defaultTtlMs = 3_600_000;

/** Gives signed-in users their passwords for the TURN servers that share a secret with us. */
export class IceAccess {
  constructor(
    /** As the configuration is now. */
    private readonly ice: () => IceConfig,
    private readonly clock: Clock,
  ) {}

  /** A ticket for `servers`, for whoever has signed in as `aor`; undefined when no server has a secret. */
  ticketFor(aor: string, untilMs: number): string | undefined {
    return this.#tickets()?.issue(aor, untilMs);
  }

  /** What the bearer of a ticket gets; undefined when it is not good. */
  servers(ticket: string): IceServersAnswer | undefined {
    const aor = this.#tickets()?.check(ticket);
    if (aor === undefined) return undefined;
    const nowMs = this.clock.nowMs();
    const secrets = this.ice().servers.flatMap(({ urls, secret, ttlMs = defaultTtlMs }) =>
      secret === undefined ? [] : [{ urls, secret, ttlMs }],
    );
    return {
      iceServers: secrets.map(({ urls, secret, ttlMs }) => ({
        urls: [...urls],
        ...turnCredentials(secret.reveal(), aor, nowMs + ttlMs),
      })),
      ttlSeconds: Math.floor(Math.min(...secrets.map(({ ttlMs }) => ttlMs)) / 1_000),
    };
  }

  #tickets(): ApiTickets | undefined {
    const secret = this.ice().servers.find((server) => server.secret !== undefined)?.secret;
    return secret === undefined ? undefined : new ApiTickets(secret.reveal(), this.clock);
  }
}
