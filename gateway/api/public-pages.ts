import { existsSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import {
  iceServersPath,
  pageConfigPath,
  type IceServersAnswer,
  type PageConfig,
} from '../contract/page-config.js';
import { parseBearer } from '../../sip/message/index.js';
import type { ProcessEvents } from '../telemetry/process-events.js';
import { remoteOf } from './remote-of.js';

export interface PublicPagesOptions {
  /** Folder with the built pages: `phone/index.html`, `assets/…`. */
  readonly folder: string;
  readonly config: PageConfig;
  /** What the bearer of a ticket gets; undefined for one that is not good. Undefined: nobody gets any. */
  readonly iceServers?: (ticket: string) => IceServersAnswer | undefined;
  readonly events?: Pick<ProcessEvents, 'tokenRefused'>;
}

/** What the public listener answers to requests that are no WebSocket. */
export interface PublicPages {
  readonly handler: (request: IncomingMessage, response: ServerResponse) => void;
  /** False when the pages were not built. */
  readonly built: boolean;
  /** What pages that are loaded from now on are told. */
  renew(config: PageConfig): void;
  close(): Promise<void>;
}

const securityHeaders = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; " +
    "media-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; " +
    "frame-ancestors 'none'",
  'Permissions-Policy': 'microphone=(self), speaker-selection=(self), camera=(), geolocation=()',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'Cross-Origin-Opener-Policy': 'same-origin',
};

const year = '365d';
const notBuilt = 'The pages were not built. Run: npm run build\n';

/** Prepares the pages of the softphone for the listener of the edge: no port of its own. */
export async function createPublicPages({
  folder,
  config,
  iceServers = () => undefined,
  events,
}: PublicPagesOptions): Promise<PublicPages> {
  let told = config;
  const server = Fastify({
    frameworkErrors: (_error, _request, reply) => {
      void sendText(reply.headers(securityHeaders), 400, 'That is no path.\n');
    },
  });
  const built = existsSync(join(folder, 'phone', 'index.html'));
  server.addHook('onSend', async (_request, reply) => {
    reply.headers(securityHeaders);
  });
  server.setNotFoundHandler((_request, reply) => sendText(reply, 404, 'There is nothing here.\n'));
  server.setErrorHandler((error, _request, reply) => {
    const status = statusOf(error);
    return sendText(reply, status, status < 500 ? 'There is nothing here.\n' : 'That did not work.\n');
  });
  server.get(pageConfigPath, async (_request, reply) => {
    reply.header('Cache-Control', 'no-store');
    return told;
  });
  server.get(iceServersPath, (request, reply) => {
    const answer = iceServers(parseBearer([request.headers.authorization ?? '']) ?? '');
    reply.header('Cache-Control', 'no-store');
    if (answer !== undefined) return reply.send(answer);
    events?.tokenRefused({ remote: remoteOf(request.raw), token: 'turn_ticket' });
    return sendText(reply.header('WWW-Authenticate', 'Bearer'), 401, 'Sign in over SIP first.\n');
  });
  server.get(config.websocketPath, (_request, reply) =>
    sendText(
      reply.headers({ Upgrade: 'websocket', Connection: 'Upgrade' }),
      426,
      'SIP over WebSocket is spoken here.\n',
    ),
  );
  if (built) await servePages(server, folder);
  else server.get('/', (_request, reply) => sendText(reply, 503, notBuilt));
  await server.ready();
  return {
    handler: (request, response) => server.routing(request, response),
    built,
    renew: (next) => void (told = next),
    close: () => server.close(),
  };
}

async function servePages(server: FastifyInstance, folder: string): Promise<void> {
  await server.register(fastifyStatic, {
    root: join(folder, 'assets'),
    prefix: '/assets/',
    index: false,
    immutable: true,
    maxAge: year,
  });
  server.get('/', (_request, reply) =>
    reply
      .header('Cache-Control', 'no-cache')
      .sendFile('index.html', join(folder, 'phone'), { cacheControl: false }),
  );
}

/** The status of an error that is the client's; 500 for any other. */
function statusOf(error: unknown): number {
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : 500;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : 500;
}

function sendText(reply: FastifyReply, status: number, text: string): FastifyReply {
  return reply.code(status).type('text/plain; charset=utf-8').send(text);
}
