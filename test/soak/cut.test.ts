import assert from 'node:assert/strict';
import { Workspace } from '../bench/target.js';
import { requirePeer } from '../support/peers.js';
import { Rtpengine } from '../support/rtpengine.js';
import { sdp } from '../support/sip-peer.js';
import { placeCalls } from './calls-up.js';
import { KilledGateway, type KillCase } from './kill-case.js';
import { SoakPbx } from './soak-pbx.js';

const count = 24;
const cases: readonly KillCase[] = [
  { engine: 'embedded', store: 'memory', media: 'relay' },
  { engine: 'embedded', store: 'memory', media: 'rtpengine' },
  { engine: 'drachtio', store: 'memory', media: 'rtpengine' },
];

describe(`${count} calls that are up at the second SIGTERM`, function () {
  this.timeout(30_000);
  let server: Rtpengine;
  let redis: string;

  before(async function () {
    redis = requirePeer(this, 'redis-server');
    server = await Rtpengine.start(requirePeer(this, 'rtpengine'), {
      mediaPorts: { min: 32_500, max: 32_800 },
    });
  });

  after(() => server?.stop());

  for (const each of cases) {
    it(`end with BYE to both sides and a CDR each, with ${each.engine} and ${each.media}`, async () => {
      const workspace = new Workspace();
      const pbx = await SoakPbx.open(sdp(9_000));
      const programs = { redis, ng: server.port };
      const gateway = await KilledGateway.start(workspace, each, programs, {
        pbxPort: pbx.port,
        graceSeconds: 3,
      });
      pbx.gatewayPort = gateway.sipPort;
      try {
        const calls = await placeCalls(gateway.wsUrl, pbx, count);
        await gateway.settled(count);
        assert.equal(await gateway.cut(), 0);
        await Promise.all(calls.flatMap(({ browser, pbx: office }) => [browser.hungUp, office.hungUp]));
        assert.deepEqual([...gateway.cdrs().codes], [['gateway.draining', count]]);
        assert.equal(gateway.cdrs().distinct, count);
        assert.equal(await server.calls(), 0);
        for (const { phone } of calls) phone.drop();
      } finally {
        await gateway.stop();
        await pbx.close();
        workspace.remove();
      }
    });
  }
});
