import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Secret } from '../config/secret.js';
import type { ProcessEvents } from '../telemetry/process-events.js';
import { sendProblem } from './problem.js';
import { remoteOf } from './remote-of.js';

type Gate = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply | undefined>;

/** Lets a request pass that carries the token as `Authorization: Bearer …` (RFC 6750 §2.1). */
export function requireToken(token: Secret, events: Pick<ProcessEvents, 'tokenRefused'>): Gate {
  const wanted = digest(token.reveal());
  return async ({ headers, raw }, reply) => {
    const given = /^Bearer +([^ ]+) *$/i.exec(headers.authorization ?? '')?.[1] ?? '';
    if (timingSafeEqual(digest(given), wanted)) return undefined;
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
