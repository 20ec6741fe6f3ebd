import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import { defaultTimerBase } from '../../sip/engine/timers.js';
import { EngineLab } from '../support/engine-lab.js';
import { freePort } from '../support/free-port.js';
import { LossyUdp } from '../support/lossy-udp.js';
import { findPeer, requirePeer } from '../support/peers.js';
import { startSipp, type RunningSipp } from '../support/run-sipp.js';
import { sdp } from '../support/sip-peer.js';
import { bridgedTls, TlsBridge } from '../support/sipp/tls-bridge.js';
import type { SrfApp } from '../support/srf-app.js';
import { makeTestAuthority } from '../support/test-certificate.js';

const calls = 500;
const callsPerSecond = 80;
const talkMs = 300;
const seed = 20_261_121;
const loss = 0.1;
/** As often as RFC 3261 timers B and F allow at most, where SIPp would give up earlier. */
const maxRetransmissions = 10;

type Transport = 'udp' | 'tcp' | 'tls';

/** Where the two SIPps and the engine reach each other. */
interface Ways {
  readonly transport: Transport;
  /** Where the calling SIPp sends to. */
  readonly engine: number;
  /** Where the called SIPp listens, and where the engine reaches it. */
  readonly callee: number;
  readonly reachable: number;
}

describe('engine and SIPp', function () {
  this.timeout(80_000);
  let sipp: string;
  let lab: EngineLab;
  let app: SrfApp;
  let running: RunningSipp[];

  before(function () {
    sipp = requirePeer(this, 'sipp');
  });

  beforeEach(() => {
    running = [];
  });

  afterEach(async () => {
    for (const sipp of running) sipp.stop();
    await lab?.close();
  });

  const start = async (tls?: Parameters<typeof bridgedTls>[0]): Promise<void> => {
    const transports: readonly Transport[] = tls === undefined ? ['udp', 'tcp'] : ['tls'];
    const listen = transports.map((transport) => ({ transport, address: '127.0.0.1', port: 0 }));
    const options = tls === undefined ? {} : { tls: bridgedTls(tls) };
    lab = await EngineLab.start({ listen, timers: defaultTimerBase, ...options });
    app = await lab.app();
  };

  const run = (options: Parameters<typeof startSipp>[0]): RunningSipp => {
    const started = startSipp(options);
    running.push(started);
    return started;
  };

  const assertAll = async (sipp: RunningSipp): Promise<void> => {
    const { successful, failed, errors } = await sipp.result;
    assert.deepEqual({ successful, failed }, { successful: calls, failed: 0 }, errors);
  };

  const common = (transport: Transport) =>
    ({
      program: sipp,
      transport: transport === 'udp' ? 'udp' : 'tcp',
      calls,
      maxRetransmissions,
      timeoutSeconds: 70,
    }) as const;

  const callsIn = async ({ transport, engine }: Ways): Promise<void> => {
    let ended = 0;
    app.invite((request, response) => {
      response.send(180);
      void app
        .createUAS(request, response, { localSdp: sdp(8000) })
        .then((dialog) => dialog.on('destroy', () => (ended += 1)));
    });
    const port = await freePort();
    const caller = run({
      ...common(transport),
      scenario: 'caller.xml',
      port,
      front: { transport, port },
      target: engine,
      callsPerSecond,
      isDeafInPauses: transport === 'udp',
    });
    await assertAll(caller);
    assert.equal(ended, calls);
  };

  const callsOut = async ({ transport, callee, reachable }: Ways, isLossy: boolean): Promise<void> => {
    const called = run({
      ...common(transport),
      scenario: isLossy ? 'lossy-callee.xml' : 'callee.xml',
      port: callee,
      front: { transport, port: reachable },
    });
    await called.listening;
    const uri = `sip:callee@127.0.0.1:${reachable};transport=${transport}`;
    const outcomes = await Promise.all(
      Array.from({ length: calls }, async (_entry, index) => {
        await setTimeout((index * 1000) / callsPerSecond);
        const dialog = await app.createUAC(uri, { localSdp: sdp(7000) });
        await setTimeout(talkMs);
        await dialog.destroy();
      }).map((call) => call.then(() => 'completed', String)),
    );
    const lost = outcomes.filter((outcome) => outcome !== 'completed');
    assert.deepEqual(lost, []);
    await assertAll(called);
  };

  const both = async (ways: Ways, isLossy = false): Promise<void> => {
    await Promise.all([callsIn(ways), callsOut(ways, isLossy)]);
    const { dialogs, pendingRequests, pendingInvites } = lab.engine.sizes();
    assert.deepEqual([dialogs, pendingRequests, pendingInvites], [0, 0, 0]);
  };

  for (const transport of ['udp', 'tcp'] as const) {
    it(`takes ${calls} calls and makes ${calls} over ${transport.toUpperCase()}`, async () => {
      await start();
      const callee = await freePort();
      const engine = transport === 'udp' ? lab.udpPort : lab.tcpPort;
      await both({ transport, engine, callee, reachable: callee });
    });
  }

  it(`takes ${calls} calls and makes ${calls} over TLS`, async function () {
    const stunnel = findPeer('stunnel4') ?? this.skip();
    const authority = makeTestAuthority() ?? this.skip();
    await start(authority);
    const bridge = lab.owned(await TlsBridge.start(stunnel, authority, lab.tlsPort));
    const { towardsEngine, sipp: callee, towardsSipp } = bridge;
    await both({ transport: 'tls', engine: towardsEngine, callee, reachable: towardsSipp });
  });

  it(`loses none of ${calls} calls in and ${calls} out over UDP that loses 10 % both ways`, async () => {
    await start();
    const callee = await freePort();
    const inwards = lab.owned(await LossyUdp.open(lab.udpPort, loss, seed));
    const outwards = lab.owned(await LossyUdp.open(callee, loss, seed + 1));
    await both({ transport: 'udp', engine: inwards.port, callee, reachable: outwards.port }, true);
    for (const { losses } of [inwards, outwards]) {
      for (const { passed, dropped } of [losses.towards, losses.back]) {
        const share = dropped / (dropped + passed);
        assert.ok(share > 0.08 && share < 0.12, `lost ${dropped} of ${dropped + passed}`);
      }
    }
  });
});
