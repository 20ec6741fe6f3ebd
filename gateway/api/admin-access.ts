import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../../sip/clock.js';
import type { Secret } from '../config/secret.js';
import { FailureWindow } from '../edge/limits.js';
import { networkOf } from '../edge/network-of.js';
import type { ProcessEvents } from '../telemetry/process-events.js';
import { sendProblem } from './problem.js';
import { remoteOf } from './remote-of.js';

type Gate = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply | undefined>;

export interface TokenGateOptions {
  readonly token: Secret;
  readonly clock: Clock;
  readonly events: Pick<ProcessEvents, 'tokenRefused'>;
}

const wrongTokensPerMinute = 10;

/**
 * Lets a request pass that carries the token as `Authorization: Bearer …` (RFC 6750 §2.1). An address that has sent ten wrong
 * ones is answered 429 for the rest of the minute, whatever it sends; others are not.
 */
export function requireToken({ token, clock, events }: TokenGateOptions): Gate {
  const wanted = digest(token.reveal());
  const guesses = new FailureWindow(wrongTokensPerMinute);
  return async ({ headers, ip, raw }, reply) => {
    const nowMs = clock.nowMs();
    const seconds = guesses.retryAfterSeconds(networkOf(ip), nowMs);
    if (seconds > 0) {
      events.tokenRefused({ remote: remoteOf(raw), token: 'admin_locked' });
      return sendProblem(reply.header('Retry-After', seconds), 429, 'too many wrong tokens');
    }
    const given = /^Bearer +([^ ]+) *$/i.exec(headers.authorization ?? '')?.[1] ?? '';
    if (timingSafeEqual(digest(given), wanted)) return undefined;
    if (given !== '') guesses.note(networkOf(ip), nowMs);
    events.tokenRefused({ remote: remoteOf(raw), token: 'admin' });
    reply.header('WWW-Authenticate', 'Bearer realm="webtrunk"');
    return sendProblem(reply, 401, 'send the token of listen.admin.token as Authorization: Bearer');
  };
}

/**
 * Without a token only this machine reaches the API, but so does every page that a browser on it has open. A page that
 * made its own host name lead here (DNS rebinding) is told by the Host header.
 */
export function requireLocalHost(): Gate {
  return async ({ hostname }, reply) => {
    const name = hostname.replace(/^\[|\]$/g, '');
    if (name === 'localhost' || isIP(name) !== 0) return undefined;
    return sendProblem(reply, 403, 'ask by IP address or localhost, or configure listen.admin.token');
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
