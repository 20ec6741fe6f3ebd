import assert from 'node:assert/strict';
import { systemClock } from '../../sip/clock.js';
import { startEngine, type Engine } from '../../sip/engine/engine.js';
import { silentLog } from '../../sip/log.js';
import { defaultTimerBase } from '../../sip/engine/timers.js';
import { labSecret } from '../support/engine-lab.js';
import { freePort } from '../support/free-port.js';
import { LossyUdp } from '../support/lossy-udp.js';
import { requirePeer } from '../support/peers.js';
import { startSipp } from '../support/run-sipp.js';
import { sdp } from '../support/sip-peer.js';
import { connectSrf, type SrfApp } from '../support/srf-app.js';

const calls = 500;
const seed = 20_261_121;

describe('engine and SIPp', function () {
  this.timeout(60_000);
  let sipp: string;
  let engine: Engine;
  let app: SrfApp;
  const closers: (() => Promise<void> | void)[] = [];

  before(function () {
    sipp = requirePeer(this, 'sipp');
  });

  beforeEach(async () => {
    engine = await startEngine({
      listen: [
        { transport: 'udp', address: '127.0.0.1', port: 0 },
        { transport: 'tcp', address: '127.0.0.1', port: 0 },
      ],
      secret: labSecret,
      log: silentLog,
      clock: systemClock,
      timers: defaultTimerBase,
    });
    app = await connectSrf(engine.controlPort, labSecret);
    app.on('error', () => undefined);
  });

  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
    app?.disconnect();
    await engine?.close();
  });

  const portOf = (transport: string): number =>
    engine.local.find((at) => at.transport === transport)?.port ?? 0;

  const lossy = async (target: number): Promise<LossyUdp> => {
    const proxy = await LossyUdp.open(target, 0.1, seed);
    closers.push(() => proxy.close());
    return proxy;
  };

  const assertLost = ({ losses }: LossyUdp): void => {
    const share = losses.dropped / (losses.dropped + losses.passed);
    assert.ok(share > 0.08 && share < 0.12, `lost ${losses.dropped} of ${losses.dropped + losses.passed}`);
  };

  const nothingLeft = (): void => {
    const { dialogs, pendingRequests, pendingInvites } = engine.sizes();
    assert.deepEqual(
      { dialogs, pendingRequests, pendingInvites },
      { dialogs: 0, pendingRequests: 0, pendingInvites: 0 },
    );
  };

  const callsIn = async (transport: 'udp' | 'tcp', target: number): Promise<void> => {
    let ended = 0;
    app.invite((request, response) => {
      response.send(180);
      void app
        .createUAS(request, response, { localSdp: sdp(8000) })
        .then((dialog) => dialog.on('destroy', () => (ended += 1)));
    });
    const run = startSipp({
      program: sipp,
      scenario: 'caller.xml',
      transport,
      port: await freePort(),
      target,
      calls,
      callsPerSecond: 50,
      isDeafInPauses: transport === 'udp',
      timeoutSeconds: 50,
    });
    closers.push(() => run.stop());
    const { successful, failed, errors } = await run.result;
    assert.deepEqual({ successful, failed }, { successful: calls, failed: 0 }, errors);
    assert.equal(ended, calls);
    nothingLeft();
  };

  const callsOut = async (transport: 'udp' | 'tcp', port: number, target = port): Promise<void> => {
    const isLossy = target !== port;
    const run = startSipp({
      program: sipp,
      scenario: isLossy ? 'lossy-callee.xml' : 'callee.xml',
      transport,
      port,
      calls,
      values: { contact_port: target },
      timeoutSeconds: 50,
    });
    closers.push(() => run.stop());
    await run.listening;
    const outcomes = await Promise.all(
      Array.from({ length: calls }, async (_entry, index) => {
        await new Promise((resolve) => setTimeout(resolve, index * 20));
        const dialog = await app.createUAC(`sip:callee@127.0.0.1:${target};transport=${transport}`, {
          localSdp: sdp(7000),
        });
        await new Promise((resolve) => setTimeout(resolve, 300));
        await dialog.destroy();
      }).map((call) => call.then(() => 'completed', String)),
    );
    assert.deepEqual(
      outcomes.filter((outcome) => outcome !== 'completed'),
      [],
    );
    const { successful, failed, errors } = await run.result;
    assert.deepEqual({ successful, failed }, { successful: calls, failed: 0 }, errors);
    nothingLeft();
  };

  it(`takes ${calls} calls over UDP`, () => callsIn('udp', portOf('udp')));

  it(`takes ${calls} calls over TCP`, () => callsIn('tcp', portOf('tcp')));

  it(`takes ${calls} calls over UDP that loses 10 % both ways`, async () => {
    const proxy = await lossy(portOf('udp'));
    await callsIn('udp', proxy.port);
    assertLost(proxy);
  });

  it(`makes ${calls} calls over UDP`, async () => {
    await callsOut('udp', await freePort());
  });

  it(`makes ${calls} calls over TCP`, async () => {
    await callsOut('tcp', await freePort());
  });

  it(`makes ${calls} calls over UDP that loses 10 % both ways`, async () => {
    const port = await freePort();
    const proxy = await lossy(port);
    await callsOut('udp', port, proxy.port);
    assertLost(proxy);
  });
});
