import { subscribe } from 'node:diagnostics_channel';
import { systemClock } from '../../sip/clock.js';
import { startEngine } from '../../sip/engine/engine.js';
import type { Log } from '../../sip/log.js';
import { sdp } from '../support/sip-peer.js';
import { makeTestCertificate } from '../support/test-certificate.js';
import {
  connectSrf,
  type SrfApp,
  type SrfDialog,
  type SrfRequest,
  type SrfResponse,
} from '../support/srf-app.js';
import { subjectSecret, type SubjectRequest, type SubjectState } from './engine-subject-process.js';

// An engine, an application that answers and one that does not, in a process of their own. It ends when its parent is
// gone. Nothing catches what is thrown: a defect that reaches the event loop ends it, as it would end the gateway.

/** 64·T1 is 0.64 s. */
const timers = { t1Ms: 10, t2Ms: 80, t4Ms: 100 };
const answeredMethods = ['options', 'info', 'register', 'notify', 'refer'];
const silentMethods = ['message', 'publish', 'update', 'foo'];
const keptErrors = 100;

const errors: string[] = [];
const ignore = (): void => undefined;
const log: Log = {
  debug: ignore,
  info: ignore,
  warn: ignore,
  error(fields, message) {
    const { err } = fields as { err?: unknown };
    if (errors.length < keptErrors)
      errors.push(
        `${message}: ${err instanceof Error ? (err.stack ?? err.message) : JSON.stringify(fields)}`,
      );
  },
};

let received = 0;
subscribe('webtrunk:message', (trace) => {
  if ((trace as { direction: string }).direction === 'in') received += 1;
});

const [nameServer = ''] = process.argv.slice(2);
const certificate = makeTestCertificate();
const loopback = { address: '127.0.0.1', port: 0 };
const engine = await startEngine({
  listen: [
    { transport: 'udp', ...loopback },
    { transport: 'tcp', ...loopback },
    ...(certificate === undefined ? [] : [{ transport: 'tls' as const, ...loopback }]),
  ],
  ...(certificate === undefined ? {} : { tls: { ...certificate, peers: [] } }),
  secret: subjectSecret,
  log,
  clock: systemClock,
  timers,
  nameServers: [nameServer],
});

const dialogs = new Set<SrfDialog>();
const ringing = new Set<SrfRequest>();
const app = await connectSrf(engine.controlPort, subjectSecret);
const silent = await connectSrf(engine.controlPort, subjectSecret);
let invites = 0;

function hold(dialog: SrfDialog): void {
  dialogs.add(dialog);
  dialog.on('destroy', () => dialogs.delete(dialog));
  serve(dialog);
}

function serve(dialog: SrfDialog): void {
  const agree = (_request: SrfRequest, response: SrfResponse): void => response.send(200);
  for (const event of ['info', 'update', 'refer', 'notify', 'options', 'message']) dialog.on(event, agree);
  dialog.on('modify', (_request: SrfRequest, response: SrfResponse) => {
    response.send(200, { body: sdp(8000) });
  });
}

function takeCall(request: SrfRequest, response: SrfResponse): void {
  request.on('cancel', ignore);
  invites += 1;
  if (request.uri.startsWith('sip:witness@')) {
    app.createUAS(request, response, { localSdp: sdp(8000) }).then(serve, ignore);
    return;
  }
  switch (request.uri.startsWith('sip:steady@') ? 0 : invites % 6) {
    case 3:
      return response.send(486);
    case 4:
      return;
    case 5:
      return response.send(183, { headers: { Require: '100rel' }, body: sdp(8000) }, () =>
        response.send(603),
      );
    default:
      if (invites % 2 === 0) response.send(180);
      app.createUAS(request, response, { localSdp: sdp(8000) }).then(hold, ignore);
  }
}

function placeCall(port: number): void {
  let sent: SrfRequest | undefined;
  const ended = (): void => {
    if (sent !== undefined) ringing.delete(sent);
  };
  const cbRequest = (_error: unknown, request: SrfRequest): void => {
    sent = request;
    ringing.add(request);
  };
  const call = app.createUAC(`sip:peer@127.0.0.1:${port}`, { localSdp: sdp(8100) }, { cbRequest });
  call.then(hold, ignore).finally(ended);
}

function hangUp(): void {
  for (const dialog of dialogs) dialog.destroy().catch(ignore);
  dialogs.clear();
  for (const request of ringing) request.cancel({}, ignore);
  ringing.clear();
}

function ready(
  srf: SrfApp,
  methods: readonly string[],
  take: (request: SrfRequest, response: SrfResponse) => void,
): void {
  srf.on('error', ignore);
  for (const method of methods) srf.use(method, take);
}

ready(app, answeredMethods, (_request, response) => response.send(200));
app.invite(takeCall);
app.use('subscribe', (_request, response) => response.send(202, { headers: { Expires: '1' } }));
ready(silent, silentMethods, ignore);
await Promise.all([app, silent].map(routed));

/** Waits until the engine has taken the routes: it refuses this request after them. */
async function routed(srf: SrfApp): Promise<void> {
  const self = `sip:127.0.0.1:${engine.local[0]?.port ?? 0}`;
  await new Promise<void>((resolve) => srf.request(self, { method: 'OPTIONS' }, () => resolve()));
}

function answer(request: SubjectRequest): void {
  if (request.callPort !== undefined) placeCall(request.callPort);
  if (request.hangUp === true) hangUp();
  if (request.collectGarbage === true) for (let i = 0; i < 4; i++) globalThis.gc?.();
  const [udp, tcp, tls] = engine.local;
  const state: SubjectState = {
    udpPort: udp?.port ?? 0,
    tcpPort: tcp?.port ?? 0,
    tlsPort: tls?.port,
    controlPort: engine.controlPort,
    sizes: engine.sizes(),
    counters: engine.counters,
    received,
    held: dialogs.size,
    errors,
    heapBytes: process.memoryUsage().heapUsed,
  };
  process.send?.(state);
}

process.on('message', (request: SubjectRequest) => answer(request));
process.on('disconnect', () => process.exit());
