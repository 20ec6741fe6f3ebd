import Fastify, { type FastifyInstance } from 'fastify';
import type { Clock } from '../../sip/clock.js';
import type { AdminListen } from '../config/config.js';
import type { Metrics } from '../telemetry/metrics.js';
import type { ProcessEvents } from '../telemetry/process-events.js';
import { requireLocalHost, requireToken } from './admin-access.js';
import type { Inspection, RowSources } from './inspection.js';
import { sendProblem } from './problem.js';

export interface AdminOptions {
  readonly listen: AdminListen;
  readonly inspection: Inspection;
  readonly metrics: Pick<Metrics, 'text' | 'contentType'>;
  readonly events: Pick<ProcessEvents, 'defect' | 'tokenRefused'>;
  readonly clock: Clock;
  /** Reads the configuration again; rejects with what is wrong with it. */
  readonly reload: () => Promise<{
    readonly applied: readonly string[];
    readonly needsRestart: readonly string[];
  }>;
}

/** A listening admin server. */
export interface AdminServer {
  readonly address: string;
  /** The real port. */
  readonly port: number;
  /** Idempotent. */
  close(): Promise<void>;
}

const defaultRows = 100;
const maxRows = 1_000;
const requestTimeoutMs = 10_000;
const maxBodyBytes = 16 * 1_024;

/** Listens for operators. Rejects when the address cannot be bound. */
export async function startAdminServer(options: AdminOptions): Promise<AdminServer> {
  const server = createAdminServer(options);
  await server.listen({ host: options.listen.address, port: options.listen.port });
  const [bound] = server.addresses();
  if (bound === undefined || typeof bound === 'string') throw new TypeError('the admin server has no port');
  return { address: bound.address, port: bound.port, close: () => server.close() };
}

/** The admin server, not yet listening. */
export function createAdminServer(options: AdminOptions): FastifyInstance {
  const server = Fastify({
    requestTimeout: requestTimeoutMs,
    bodyLimit: maxBodyBytes,
    forceCloseConnections: true,
  });
  server.addHook('onSend', async (_request, reply) => {
    reply.header('X-Content-Type-Options', 'nosniff').header('Cache-Control', 'no-store');
  });
  server.setNotFoundHandler((_request, reply) => sendProblem(reply, 404, 'there is nothing here'));
  server.setErrorHandler((error, _request, reply) => {
    const status = statusOf(error);
    if (status < 500) return sendProblem(reply, status, 'the request cannot be read');
    options.events.defect({ source: 'admin_api', error });
    return sendProblem(reply, 500, 'a defect in webtrunk; the log has the detail');
  });
  addHealth(server, options);
  server.register(async (guarded) => {
    const { token } = options.listen;
    const { clock, events } = options;
    const gate = token === undefined ? requireLocalHost() : requireToken({ token, clock, events });
    guarded.addHook('onRequest', gate);
    addViews(guarded, options);
    addReload(guarded, options);
  });
  return server;
}

/** Health needs no token: it says nothing but yes or no. */
function addHealth(server: FastifyInstance, { inspection }: AdminOptions): void {
  server.get('/healthz', async () => ({ status: 'ok' }));
  server.get('/readyz', async (_request, reply) => {
    if (inspection.ready) return { status: 'ready' };
    return sendProblem(reply, 503, 'calls cannot be taken: starting, stopping or without SIP engine');
  });
}

/** Not for web pages: a page of any site could make the operator's browser post here. */
function addReload(server: FastifyInstance, { reload }: AdminOptions): void {
  server.post('/api/v1/reload', async (request, reply) => {
    if (request.headers.origin !== undefined) return sendProblem(reply, 403, 'not from a web page');
    try {
      return await reload();
    } catch (thrown) {
      return sendProblem(reply, 422, thrown instanceof Error ? thrown.message : String(thrown));
    }
  });
}

function addViews(server: FastifyInstance, { inspection, metrics }: AdminOptions): void {
  server.get('/', async () => ({
    health: ['/healthz', '/readyz'],
    metrics: '/metrics',
    api: ['inspect', ...tableNames].map((name) => `/api/v1/${name}`),
  }));
  server.get('/metrics', async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.text()),
  );
  server.get('/api/v1/inspect', async () => inspection.sizes());
  for (const name of tableNames) {
    server.get(`/api/v1/${name}`, async ({ query }, reply) => {
      const limit = limitOf(query);
      if (limit === undefined) return sendProblem(reply, 400, `limit is a number from 1 to ${maxRows}`);
      return listing(inspection.tables, name, limit);
    });
  }
}

const tableNames = [
  'flows',
  'endpoints',
  'bindings',
  'calls',
  'trunks',
] as const satisfies readonly (keyof RowSources)[];

function listing(tables: RowSources, name: keyof RowSources, limit: number): object {
  const rows: object[] = [];
  for (const row of tables[name].rows()) {
    if (rows.length === limit) break;
    rows.push(row);
  }
  return { total: tables[name].size, [name]: rows };
}

function limitOf(query: unknown): number | undefined {
  if (typeof query !== 'object' || query === null || !('limit' in query)) return defaultRows;
  const limit = typeof query.limit === 'string' && /^[0-9]{1,5}$/.test(query.limit) ? Number(query.limit) : 0;
  return limit >= 1 && limit <= maxRows ? limit : undefined;
}

function statusOf(error: unknown): number {
  const status =
    typeof error === 'object' && error !== null && 'statusCode' in error ? error.statusCode : 500;
  return typeof status === 'number' ? status : 500;
}
