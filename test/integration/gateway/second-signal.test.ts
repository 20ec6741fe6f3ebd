import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../../support/free-port.js';
import { GatewayProcess } from '../../support/gateway-process.js';
import { passwordOf } from '../../support/gateway.js';
import { callOffice, signInAlice } from '../../support/office-gateway.js';
import { UdpPeer } from '../../support/sip-peer.js';
import { answer, nextRequest } from '../../support/ws-call.js';
import type { WsSipClient } from '../../support/ws-sip-client.js';

/** A signal that comes sooner is taken for the same one: npm passes Ctrl-C on. */
const betweenSignalsMs = 600;

describe('a webtrunk with a call up that is to stop', () => {
  let folder: string;
  let pbx: UdpPeer;
  let gateway: GatewayProcess;
  let alice: WsSipClient;

  const begin = async (limit: string): Promise<void> => {
    folder = await mkdtemp(join(tmpdir(), 'webtrunk-stop-'));
    const sip = await freePort();
    pbx = await UdpPeer.open(sip);
    const config = join(folder, 'office.yaml');
    await writeFile(
      config,
      `listen:
  http: { address: 127.0.0.1, port: 0 }
  admin: { address: 127.0.0.1, port: 0 }
domains: [{ name: localhost, users: [{ name: alice, password: ${passwordOf('alice')} }] }]
sip: { embedded: { listen: ["udp:127.0.0.1:${sip}"] } }
media: { engine: passthrough }
trunks: [{ name: office, type: ip, hosts: [{ uri: "sip:127.0.0.1:${pbx.port};transport=udp" }] }]
routes: [{ name: office, match: "^[0-9]+$", to: { trunks: [office] } }]
cdr: { file: cdr.ndjson }
drain: { limit: ${limit} }
`,
    );
    gateway = await GatewayProcess.start(config);
    alice = await signInAlice(gateway.url('pages'));
    await callOffice(alice, pbx);
  };

  afterEach(async () => {
    await alice.close();
    await gateway.stop();
    await pbx.close();
    await rm(folder, { recursive: true });
  });

  /** Both sides hang up when they are told to; gives the reasons that they hear. */
  const bothEnd = async (): Promise<(string | undefined)[]> => {
    const [toAlice, toPbx] = await Promise.all([nextRequest(alice, 'BYE'), pbx.request('BYE')]);
    answer(alice, toAlice, 200);
    pbx.respond(toPbx, 200, 'OK');
    return [toAlice.headers.get('reason'), toPbx.headers.get('reason')];
  };

  const codes = async (): Promise<unknown[]> =>
    (await readFile(join(folder, 'cdr.ndjson'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { termination: { code: string } }).termination.code);

  const reason = 'SIP;cause=503;text="Service Unavailable"';

  it('says so to load balancers and PBXs at once, and ends the call at the second signal: BYE to both, CDR, exit code 0', async () => {
    await begin('60s');
    const stopped = gateway.stop();
    await gateway.logged('draining');
    assert.equal((await fetch(`${gateway.url('admin')}/readyz`)).status, 503);
    await delay(betweenSignalsMs);
    const cut = gateway.stop();
    assert.deepEqual(await bothEnd(), [reason, reason]);
    assert.equal((await alice.closed).code, 1001);
    await Promise.all([stopped, cut]);
    assert.equal(gateway.exitCode, 0);
    assert.deepEqual(await codes(), ['gateway.draining']);
  });

  it('ends the call when its time is over: BYE to both, CDR, exit code 0', async () => {
    await begin('300ms');
    const stopped = gateway.stop();
    assert.deepEqual(await bothEnd(), [reason, reason]);
    await stopped;
    assert.equal(gateway.exitCode, 0);
    assert.deepEqual(await codes(), ['gateway.draining']);
  });
});
