import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from '../../gateway/app.js';
import { loadConfig } from '../../gateway/config/load.js';
import { createEvents } from '../../gateway/telemetry/events.js';
import { Metrics } from '../../gateway/telemetry/metrics.js';
import { silentLog } from '../../sip/log.js';
import { freePort } from '../support/free-port.js';
import { GatewayProcess } from '../support/gateway-process.js';
import { passwordOf } from '../support/gateway.js';
import { MovedClock } from '../support/moved-clock.js';
import { requirePeer } from '../support/peers.js';
import { Redis } from '../support/redis.js';
import { sdp, UdpPeer, type Seen } from '../support/sip-peer.js';
import { acknowledge, answer, nextRequest } from '../support/ws-call.js';
import { WsSipClient } from '../support/ws-sip-client.js';

const seconds = 90;
/** What is spread over the sessions of a process that has died. */
const soonMs = 1_600;
/** RFC 4028 §10: how long before the end a browser hears of it. */
const marginSeconds = 30;
const instanceId = '<urn:uuid:00000000-0000-4000-8000-00000000a11c>';

/** Session timers (RFC 4028) of a call whose process is killed; the next one has a clock that can be moved. */
describe('the session timers of a call that is taken over', function () {
  this.timeout(20_000);
  let redis: Redis;
  let folder: string;
  let file: string;
  let wsUrl: string;
  let pbx: UdpPeer;
  let alice: WsSipClient;
  let clock: MovedClock | undefined;
  let app: App | undefined;

  before(async function () {
    redis = await Redis.start(requirePeer(this, 'redis-server'));
  });

  after(() => redis?.stop());

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'webtrunk-sessions-'));
    file = join(folder, 'office.yaml');
    const [http, sip] = [await freePort(), await freePort()];
    wsUrl = `ws://127.0.0.1:${http}/ws`;
    pbx = await UdpPeer.open(sip);
    await writeFile(
      file,
      `listen:
  http: { address: 127.0.0.1, port: ${http} }
  admin: { address: 127.0.0.1, port: 0 }
websocket: { keepalive: 600s }
domains: [{ name: localhost, users: [{ name: alice, password: ${passwordOf('alice')} }] }]
sip: { embedded: { listen: ["udp:127.0.0.1:${sip}"] } }
media: { engine: passthrough }
trunks: [{ name: office, type: ip, hosts: [{ uri: "sip:127.0.0.1:${pbx.port};transport=udp" }] }]
routes: [{ name: office, match: "^[0-9]+$", to: { trunks: [office] } }]
cdr: { file: cdr.ndjson }
store: ${redis.url}
`,
    );
  });

  afterEach(async () => {
    await alice?.close();
    await app?.close();
    app = undefined;
    clock?.stop();
    await pbx.close();
    await rm(folder, { recursive: true });
  });

  const signIn = async (): Promise<void> => {
    alice = await WsSipClient.connect(wsUrl, { user: 'alice', password: passwordOf('alice'), instanceId });
    assert.equal((await alice.register()).status, 200);
  };

  /** Alice calls; each side says what it wants of the session. The process is killed, and another one goes on. */
  const takenOver = async (said: {
    alice: readonly string[];
    pbx: readonly string[];
  }): Promise<MovedClock> => {
    const first = await GatewayProcess.start(file);
    await signIn();
    const body = sdp(7000);
    const headers = [
      'To: <sip:600@localhost>',
      'Content-Type: application/sdp',
      'Allow: UPDATE',
      ...said.alice,
    ];
    const dialled = alice.transact(alice.request('INVITE', 'sip:600@localhost', { headers, body }));
    const contact = `Contact: <sip:peer@127.0.0.1:${pbx.port}>`;
    pbx.respond(await pbx.request('INVITE'), 200, 'OK', { body: sdp(6000), headers: [contact, ...said.pbx] });
    const watched = await redis.watch();
    acknowledge(alice, await dialled);
    await pbx.request('ACK');
    await watched.first((command) => command.includes(':call"'));
    await first.kill();
    const moved = new MovedClock();
    clock = moved;
    const config = await loadConfig(file, {});
    const events = createEvents(silentLog, new Metrics());
    app = await App.start(config, { log: silentLog, events, clock: moved, pages: (_, to) => to.end() });
    await signIn();
    return moved;
  };

  /** Both take it that they are refreshed, and go on as before. */
  const bothRefreshed = async (since: number): Promise<void> => {
    const toPbx = await pbx.request('INVITE');
    assert.equal(toPbx.headers.get('session-expires'), `${seconds};refresher=uac`);
    pbx.respond(toPbx, 200, 'OK', {
      body: sdp(6000),
      headers: [`Contact: <sip:peer@127.0.0.1:${pbx.port}>`, `Session-Expires: ${seconds};refresher=uac`],
    });
    await pbx.request('ACK');
    const toAlice = await nextRequest(alice, 'UPDATE', since);
    assert.equal(toAlice.headers.get('session-expires'), `${seconds};refresher=uac`);
    answer(alice, toAlice, 200, { headers: [['Session-Expires', `${seconds};refresher=uac`]] });
  };

  /** The call ends on both sides because nobody has refreshed. */
  const bothEnd = async (): Promise<void> => {
    const [toAlice, toPbx] = await Promise.all([nextRequest(alice, 'BYE'), pbx.request('BYE')]);
    answer(alice, toAlice, 200);
    pbx.respond(toPbx, 200, 'OK');
    await app?.close();
    const record = JSON.parse(await readFile(join(folder, 'cdr.ndjson'), 'utf8')) as {
      termination: { code: string };
    };
    assert.equal(record.termination.code, 'call.session_expired');
  };

  const isBye = (message: Seen): boolean => message.kind === 'request' && message.method === 'BYE';

  it('are refreshed by us soon, and then as before, on either leg that we have refreshed', async () => {
    const time = await takenOver({
      alice: ['Supported: timer', `Session-Expires: ${seconds};refresher=uas`],
      pbx: ['Require: timer', `Session-Expires: ${seconds};refresher=uac`],
    });
    await time.ahead(soonMs);
    await bothRefreshed(0);
    const since = alice.received.length;
    await time.ahead((seconds * 1_000) / 2);
    await bothRefreshed(since);
  });

  it('end the call when the PBX was to refresh and does not', async () => {
    const time = await takenOver({ alice: [], pbx: [`Session-Expires: ${seconds};refresher=uas`] });
    await time.ahead((seconds - 2) * 1_000);
    assert.equal(await pbx.silent(isBye, 100), true);
    await time.ahead(2_000);
    await bothEnd();
  });

  it('end the call when the browser was to refresh and does not', async () => {
    const expires = `Session-Expires: ${seconds};refresher=uac`;
    const time = await takenOver({ alice: ['Supported: timer', expires], pbx: [] });
    await time.ahead((seconds - marginSeconds - 2) * 1_000);
    assert.equal(await pbx.silent(isBye, 100), true);
    await time.ahead(2_000);
    await bothEnd();
  });
});
