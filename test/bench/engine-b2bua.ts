import { randomBytes } from 'node:crypto';
import { systemClock } from '../../sip/clock.js';
import { startEngine } from '../../sip/engine/engine.js';
import { silentLog } from '../../sip/log.js';
import { connectSrf, type SrfApp, type SrfRequest, type SrfResponse } from '../support/srf-app.js';

/**
 * A back-to-back user agent on drachtio-srf, in a process of its own: `embedded SIP-PORT CALLEE-PORT` with the embedded
 * engine in the same process, or `drachtio HOST PORT SECRET CALLEE-PORT`.
 */
const [kind, ...args] = process.argv.slice(2);

async function application(): Promise<readonly [srf: SrfApp, calleePort: string]> {
  if (kind === 'drachtio') {
    const [host = '', port = '', secret = '', calleePort = ''] = args;
    return [await connectSrf(Number(port), secret, host), calleePort];
  }
  const [sipPort = '', calleePort = ''] = args;
  const secret = randomBytes(16).toString('hex');
  const engine = await startEngine({
    listen: [{ transport: 'udp', address: '127.0.0.1', port: Number(sipPort) }],
    secret,
    log: silentLog,
    clock: systemClock,
  });
  return [await connectSrf(engine.controlPort, secret), calleePort];
}

const [srf, calleePort] = await application();
srf.on('error', () => undefined);

async function join(request: SrfRequest, response: SrfResponse): Promise<void> {
  let sent: SrfRequest | undefined;
  request.on('cancel', () => sent?.cancel({}, () => undefined));
  const callee = await srf.createUAC(
    `sip:callee@127.0.0.1:${calleePort};transport=udp`,
    { localSdp: request.body },
    {
      cbRequest: (_error, invite) => (sent = invite),
      cbProvisional: (provisional) => response.send(provisional.status),
    },
  );
  const caller = await srf.createUAS(request, response, { localSdp: callee.remote.sdp });
  for (const [one, other] of [
    [caller, callee],
    [callee, caller],
  ] as const)
    one.on('destroy', () => void other.destroy().catch(() => undefined));
}

srf.invite((request, response) => {
  join(request, response).catch(() => response.send(500));
});
srf.use('options', (_request, response) => response.send(200));
