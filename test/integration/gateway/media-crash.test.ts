import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SipResponse } from '../../../sip/message/index.js';
import { cdrSchema } from '../../../gateway/cdr/cdr-schema.js';
import { childProcesses } from '../../support/child-processes.js';
import { freePort } from '../../support/free-port.js';
import { passwordOf, startGateway, usersRoute, type Gateway } from '../../support/gateway.js';
import { idle } from '../../support/idle.js';
import { sdp } from '../../support/sip-peer.js';
import { WebrtcPeer } from '../../support/webrtc-peer.js';
import { acknowledge, answer, inDialog, nextRequest } from '../../support/ws-call.js';
import { WsSipClient } from '../../support/ws-sip-client.js';

describe('when native code of the relay crashes', () => {
  let folder: string;
  let gateway: Gateway;
  let alice: WsSipClient;
  let bob: WsSipClient;
  const peers: WebrtcPeer[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'webtrunk-crash-'));
    gateway = await startGateway({
      echoPort: await freePort(),
      mediaProcesses: 1,
      cdrFile: join(folder, 'cdr.ndjson'),
      routes: [
        usersRoute,
        { name: 'echo', match: /^600$/, fromTrunk: undefined, to: { kind: 'trunks', trunks: ['echo'] } },
      ],
    });
    const client = async (user: string): Promise<WsSipClient> => {
      const made = await WsSipClient.connect(gateway.wsUrl, { user, password: passwordOf(user) });
      await made.register();
      return made;
    };
    [alice, bob] = [await client('alice'), await client('bob')];
  });

  after(async () => {
    for (const peer of peers) peer.close();
    await alice.close();
    await bob.close();
    await gateway.close();
    await rm(folder, { recursive: true });
  });

  const callEcho = async (): Promise<{ answered: SipResponse; peer: WebrtcPeer }> => {
    const peer = new WebrtcPeer();
    peers.push(peer);
    const headers = ['To: <sip:600@localhost>', 'Content-Type: application/sdp'];
    const invite = alice.request('INVITE', 'sip:600@localhost', { headers, body: await peer.offer() });
    const answered = await alice.transact(invite);
    assert.equal(answered.status, 200, `${answered.status} ${answered.reason}`);
    acknowledge(alice, answered);
    peer.takeAnswer(answered.body.toString());
    await peer.reached('open');
    return { answered, peer };
  };

  it('its calls end with BYE and their reason, other calls and the signalling go on, and new calls are carried', async () => {
    const between = bob.transact(
      bob.request('INVITE', 'sip:alice@localhost', {
        headers: ['To: <sip:alice@localhost>', 'Content-Type: application/sdp'],
        body: sdp(7000),
      }),
    );
    answer(alice, await nextRequest(alice, 'INVITE'), 200, { sdp: sdp(9000) });
    const direct = await between;
    acknowledge(bob, direct);
    await callEcho();

    const [pid] = await childProcesses('relay-process/worker.js');
    assert.ok(pid !== undefined);
    process.kill(pid, 'SIGSEGV');
    const bye = await nextRequest(alice, 'BYE');
    assert.match(bye.headers.get('reason') ?? '', /^SIP;cause=503;text="/);
    answer(alice, bye, 200);

    const since = alice.received.length;
    const ending = bob.transact(inDialog(bob, 'BYE', direct));
    answer(alice, await nextRequest(alice, 'BYE', since), 200);
    assert.equal((await ending).status, 200);
    while ((await childProcesses('relay-process/worker.js')).length === 0)
      await new Promise((resolve) => setImmediate(resolve));
    const { answered } = await callEcho();
    assert.equal((await alice.transact(inDialog(alice, 'BYE', answered))).status, 200);
    await idle(gateway);
    const lines = (await readFile(join(folder, 'cdr.ndjson'), 'utf8')).trim().split('\n');
    const codes = lines.map((line) => cdrSchema.parse(JSON.parse(line)).termination.code);
    assert.deepEqual(codes.sort(), ['call.completed', 'call.completed', 'media.engine_lost']);
    assert.match(await gateway.metrics.text(), /^webtrunk_media_process_deaths_total 1$/m);
  });
});
