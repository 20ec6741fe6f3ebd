import assert from 'node:assert/strict';
import type { Config } from '../../../gateway/config/config.js';
import { Secret } from '../../../gateway/config/secret.js';
import { chosenEngine } from '../../support/engine-under-test.js';
import { ipTrunk, passwordOf, startGateway, usersRoute, type Gateway } from '../../support/gateway.js';
import { idle } from '../../support/idle.js';
import { sdp, UdpPeer } from '../../support/sip-peer.js';
import { acknowledge, inDialog } from '../../support/ws-call.js';
import { WsSipClient } from '../../support/ws-sip-client.js';

const callsPerSecond = 20;
const seconds = 3;

describe('a reload of the configuration', function () {
  this.timeout(20_000);
  let gateway: Gateway;
  let alice: WsSipClient;
  let old: UdpPeer;
  let young: UdpPeer;

  before(function () {
    // The peers know where the embedded engine listens.
    if (chosenEngine() === 'drachtio') this.skip();
  });

  const outbound = { name: 'out', match: /^[0-9]+$/, fromTrunk: undefined };

  beforeEach(async () => {
    const trunk = { ...outbound, to: { kind: 'trunks' as const, trunks: ['pbx'] } };
    old = await UdpPeer.open(0);
    gateway = await startGateway({
      media: 'passthrough',
      limits: { callsPerEndpoint: 100 },
      trunks: [ipTrunk('pbx', `sip:127.0.0.1:${old.port};transport=udp`)],
      routes: [usersRoute, trunk],
    });
    await old.close();
    const port = Number(gateway.sipAddress.split(':')[1]);
    [old, young] = [await UdpPeer.open(port), await UdpPeer.open(port)];
    for (const peer of [old, young]) answerAll(peer);
    await gateway.app.reload(pointedAt(old));
    alice = await WsSipClient.connect(gateway.wsUrl, { user: 'alice', password: passwordOf('alice') });
    await alice.register();
  });

  afterEach(async () => {
    await alice.close();
    await gateway.close();
    await old.close();
    await young.close();
  });

  const answerAll = (peer: UdpPeer): void => {
    peer.onMessage = (message) => {
      if (message.kind !== 'request' || message.method === 'ACK') return;
      peer.respond(message, 200, 'OK', message.method === 'INVITE' ? { body: sdp(9000) } : {});
    };
  };

  const pointedAt = (peer: UdpPeer, change: Partial<Config> = {}): Config => ({
    ...gateway.app.config,
    trunks: [ipTrunk('pbx', `sip:127.0.0.1:${peer.port};transport=udp`)],
    ...change,
  });

  const dial = (): Promise<{ readonly status: number }> => {
    const headers = ['To: <sip:1@localhost>', 'Content-Type: application/sdp'];
    return alice.transact(alice.request('INVITE', 'sip:1@localhost', { headers, body: sdp(7000) }));
  };

  const call = async (): Promise<number> => {
    const headers = ['To: <sip:1@localhost>', 'Content-Type: application/sdp'];
    const invite = alice.request('INVITE', 'sip:1@localhost', { headers, body: sdp(7000) });
    const answered = await alice.transact(invite);
    if (answered.status !== 200) return answered.status;
    acknowledge(alice, answered);
    await new Promise((resolve) => setTimeout(resolve, 300));
    return (await alice.transact(inDialog(alice, 'BYE', answered))).status;
  };

  const invitesAt = (peer: UdpPeer): number =>
    new Set(peer.seen.filter(({ text }) => text.startsWith('INVITE ')).map(({ callId }) => callId)).size;

  it(`changes the trunk under ${callsPerSecond} calls a second without a failed call`, async () => {
    const count = callsPerSecond * seconds;
    const calls = Array.from({ length: count }, async (_, index) => {
      await new Promise((resolve) => setTimeout(resolve, (index * 1_000) / callsPerSecond));
      if (index === count / 2) await gateway.app.reload(pointedAt(young));
      return call();
    });
    const outcomes = await Promise.all(calls);
    assert.deepEqual(
      outcomes.filter((status) => status !== 200),
      [],
    );
    assert.equal(invitesAt(old) + invitesAt(young), count);
    assert.ok(invitesAt(young) >= count / 2 - 1 && invitesAt(old) > 0);
    await idle(gateway);
  });

  it('changes routes and limits for the next call', async () => {
    const reject = { ...outbound, to: { kind: 'reject' as const, status: 603 } };
    await gateway.app.reload(pointedAt(old, { routes: [reject] }));
    assert.equal((await dial()).status, 603);
    const limits = { ...gateway.app.config.limits, callsPerEndpoint: 0 };
    await gateway.app.reload(pointedAt(old, { limits }));
    const { status } = await dial();
    assert.ok(status === 486 || status === 503, String(status));
  });

  it('takes new users and forgets old ones', async () => {
    const [domain] = gateway.app.config.domains;
    assert.ok(domain !== undefined);
    const dave = { name: 'dave', password: new Secret('p'), displayName: undefined, callerId: undefined };
    await gateway.app.reload(pointedAt(old, { domains: [{ ...domain, users: [dave] }] }));
    const client = await WsSipClient.connect(gateway.wsUrl, { user: 'dave', password: 'p' });
    assert.equal((await client.register()).status, 200);
    await client.close();
    assert.notEqual((await alice.register()).status, 200);
  });

  it('says what needs a restart, and keeps it as it was', async () => {
    const { websocket } = gateway.app.config;
    const next = pointedAt(old, { websocket: { ...websocket, maxMessageBytes: 4_096 } });
    const changes = await gateway.app.reload(next);
    assert.deepEqual(changes, [{ path: 'websocket.maxMessageBytes', kind: 'changed', isLive: false }]);
    assert.equal(gateway.app.config.websocket.maxMessageBytes, websocket.maxMessageBytes);
  });
});
