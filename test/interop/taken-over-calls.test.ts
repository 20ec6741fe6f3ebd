import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from '../../gateway/app.js';
import { loadConfig } from '../../gateway/config/load.js';
import { createEvents } from '../../gateway/telemetry/events.js';
import { Metrics } from '../../gateway/telemetry/metrics.js';
import { systemClock, type Clock } from '../../sip/clock.js';
import { silentLog } from '../../sip/log.js';
import type { SipResponse } from '../../sip/message/index.js';
import { freePort } from '../support/free-port.js';
import { GatewayProcess } from '../support/gateway-process.js';
import { passwordOf } from '../support/gateway.js';
import { requirePeer } from '../support/peers.js';
import { Redis } from '../support/redis.js';
import { ScriptedRtpengine } from '../support/scripted-rtpengine.js';
import { fixture } from '../support/sdp-fixtures.js';
import { sdp, UdpPeer } from '../support/sip-peer.js';
import { within } from '../support/within.js';
import { acknowledge, answer, inDialog, nextRequest } from '../support/ws-call.js';
import { WsSipClient } from '../support/ws-sip-client.js';

const beganMs = systemClock.nowMs();
/** Dead nodes are missed ten times as soon; what is awaited is awaited as long as ever. */
const hasty: Clock = {
  nowMs: () => beganMs + (systemClock.nowMs() - beganMs) * 10,
  after: (delayMs, act) => systemClock.after(delayMs, act),
  every: (periodMs, act) => systemClock.every(periodMs / 10, act),
};
/** The look at the media of a browser that is back takes 6 s. */
const lookedAtWithinMs = 12_000;

/** Nodes with one Redis and one rtpengine that hears nobody; the first is killed with calls up. */
describe('calls of a node that is killed', function () {
  this.timeout(40_000);
  let redis: Redis;
  let media: ScriptedRtpengine;
  let folder: string;
  let pbx: UdpPeer;
  let first: GatewayProcess | undefined;
  let others: App[];
  let clients: WsSipClient[];

  before(async function () {
    redis = await Redis.start(requirePeer(this, 'redis-server'));
    media = await ScriptedRtpengine.start();
  });

  after(async () => {
    await media?.close();
    await redis?.stop();
  });

  const configure = async (name: string, http: number, sip: number): Promise<string> => {
    const file = join(folder, `${name}.yaml`);
    await writeFile(
      file,
      `listen:
  http: { address: 127.0.0.1, port: ${http} }
  admin: { address: 127.0.0.1, port: 0 }
websocket: { keepalive: 600s }
domains: [{ name: localhost, users: [{ name: alice, password: ${passwordOf('alice')} }, { name: bob, password: ${passwordOf('bob')} }] }]
sip: { embedded: { listen: ["udp:127.0.0.1:${sip}"] } }
media: { engine: rtpengine, rtpengine: [{ ng: "udp:127.0.0.1:${media.address.port}" }] }
trunks: [{ name: office, type: ip, hosts: [{ uri: "sip:127.0.0.1:${pbx.port};transport=udp" }] }]
routes: [{ name: office, match: "^[0-9]+$", to: { trunks: [office] } }]
cdr: { file: ${name}.ndjson }
store: ${redis.url}
`,
    );
    return file;
  };

  const signIn = async (http: number, user: string): Promise<WsSipClient> => {
    const identity = { user, password: passwordOf(user), instanceId: `<urn:example:${user}>` };
    const client = await WsSipClient.connect(`ws://127.0.0.1:${http}/ws`, identity);
    clients.push(client);
    assert.equal((await client.register()).status, 200);
    return client;
  };

  /** Puts a call through to the PBX, which answers every request that comes in it later; gives its answer. */
  const dial = async (caller: WsSipClient): Promise<{ answered: SipResponse; atPbx: string }> => {
    const headers = ['To: <sip:600@localhost>', 'Content-Type: application/sdp', 'Allow: INVITE, UPDATE'];
    const body = fixture('audio-offer');
    const dialled = caller.transact(caller.request('INVITE', 'sip:600@localhost', { headers, body }));
    const invite = await pbx.request('INVITE');
    pbx.respond(invite, 200, 'OK', { body: sdp(6000) });
    const answered = await dialled;
    assert.equal(answered.status, 200);
    acknowledge(caller, answered);
    await pbx.request('ACK');
    return { answered, atPbx: invite.callId };
  };

  const byeOf = (callId: string): Promise<unknown> =>
    pbx.next(
      (message) => message.kind === 'request' && message.method === 'BYE' && message.callId === callId,
      lookedAtWithinMs,
    );

  const codes = async (): Promise<string[]> =>
    (await readFile(join(folder, 'second.ndjson'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { termination: { code: string } }).termination.code);

  beforeEach(async () => {
    [clients, others] = [[], []];
    folder = await mkdtemp(join(tmpdir(), 'webtrunk-browsers-'));
  });

  afterEach(async () => {
    for (const client of clients) await client.close();
    await first?.stop();
    for (const other of others) await other.close();
    await pbx.close();
    await rm(folder, { recursive: true });
  });

  /** The node that is killed; its PBX answers every request that comes in a call from then on. */
  const startFirst = async (): Promise<{ http: number; kill: (otherSip: number) => Promise<void> }> => {
    const [http, sip] = [await freePort(), await freePort()];
    pbx = await UdpPeer.open(sip);
    const started = await GatewayProcess.start(await configure('first', http, sip));
    first = started;
    const kill = async (otherSip: number): Promise<void> => {
      await started.kill();
      pbx.aim(otherSip);
      pbx.onMessage = (message) => {
        if (message.kind !== 'request' || message.method === 'ACK') return;
        pbx.respond(message, 200, 'OK', message.method === 'INVITE' ? { body: sdp(6000) } : {});
      };
    };
    return { http, kill };
  };

  const startOther = async (name: string): Promise<{ app: App; http: number; sip: number }> => {
    const [http, sip] = [await freePort(), await freePort()];
    const app = await App.start(await loadConfig(await configure(name, http, sip), {}), {
      log: silentLog,
      events: createEvents(silentLog, new Metrics()),
      clock: hasty,
      pages: (_, to) => to.end(),
    });
    others.push(app);
    return { app, http, sip };
  };

  /** The key by which the only node that is up says that it is alive. */
  const lifeSign = async (): Promise<string> =>
    (await redis.keys()).find((key) => key.endsWith(':alive')) ?? '';

  it('end for the PBX when the browser was at the other node first and has left, and go on when it has not', async () => {
    const one = await startFirst();
    const [leaving, staying] = [await signIn(one.http, 'alice'), await signIn(one.http, 'bob')];
    const commands = await redis.watch();
    const [left, kept] = [await dial(leaving), await dial(staying)];
    for (const { callId } of [leaving, staying])
      await commands.first((command) => command.includes('"HSET"') && command.includes(callId));
    const alive = await lifeSign();
    const two = await startOther('second');
    await one.kill(two.sip);
    const [alice, bob] = [await signIn(two.http, 'alice'), await signIn(two.http, 'bob')];
    assert.equal((await alice.transact(inDialog(leaving, 'BYE', left.answered))).status, 481);
    await redis.ask('DEL', alive);

    const asked = await within(lookedAtWithinMs, 're-INVITE', nextRequest(alice, 'INVITE'));
    const ended = byeOf(left.atPbx);
    answer(alice, asked, 481);
    await ended;
    const askedToo = await within(lookedAtWithinMs, 're-INVITE', nextRequest(bob, 'INVITE'));
    answer(bob, askedToo, 200, {
      sdp: fixture('audio-offer').replace('a=setup:actpass', 'a=setup:active'),
    });
    await nextRequest(bob, 'ACK');
    const hungUp = byeOf(kept.atPbx);
    assert.equal((await bob.transact(inDialog(staying, 'BYE', kept.answered))).status, 200);
    await hungUp;
    await two.app.close();
    assert.deepEqual(await codes(), ['dialog.unknown', 'call.completed']);
  });

  it('go on at a node that stays, not at one that drains', async () => {
    const one = await startFirst();
    const caller = await signIn(one.http, 'alice');
    const commands = await redis.watch();
    const { answered, atPbx } = await dial(caller);
    await commands.first((command) => command.includes('"HSET"') && command.includes(caller.callId));
    const alive = await lifeSign();
    const two = await startOther('second');
    pbx.aim(two.sip);
    const bob = await signIn(two.http, 'bob');
    const stays = await dial(bob);
    const drained = two.app.drain({ noticeMs: 0, limitMs: 600_000 });
    await one.kill(two.sip);
    const moved = pbx.next(
      (message) => message.kind === 'request' && message.method === 'INVITE' && message.callId === atPbx,
      lookedAtWithinMs,
    );
    await redis.ask('DEL', alive);
    const three = await startOther('third');
    pbx.aim(three.sip);
    assert.ok((await moved).headers.get('contact')?.includes(`:${three.sip}`));
    const alice = await signIn(three.http, 'alice');
    assert.equal((await alice.transact(inDialog(caller, 'BYE', answered))).status, 200);
    pbx.aim(two.sip);
    assert.equal((await bob.transact(inDialog(bob, 'BYE', stays.answered))).status, 200);
    await drained;
  });
});
