import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cdrSchema } from '../../../gateway/cdr/cdr-schema.js';
import type { SipRequest } from '../../../sip/message/index.js';
import { chosenEngine } from '../../support/engine-under-test.js';
import { ipTrunk, passwordOf, startGateway, usersRoute, type Gateway } from '../../support/gateway.js';
import { HttpReceiver } from '../../support/http-receiver.js';
import { idle } from '../../support/idle.js';
import { sdp, UdpPeer, type SipPeer } from '../../support/sip-peer.js';
import { acknowledge, inDialog } from '../../support/ws-call.js';
import { WsSipClient } from '../../support/ws-sip-client.js';

const calls = 1_000;
const atATime = 25;

/** By the number that is dialled: what the PBX says, and what the record has to say. */
const outcomes = [
  { number: '200', status: 200, code: 'call.completed' },
  { number: '486', status: 486, code: 'callee.busy' },
  { number: '404', status: 404, code: 'upstream.refused' },
  { number: '603', status: 603, code: 'callee.declined' },
  { number: '999', status: 404, code: 'route.no_match' },
] as const;

describe('a thousand calls with mixed outcomes', function () {
  this.timeout(60_000);
  let folder: string;
  let receiver: HttpReceiver;
  let pbx: UdpPeer;
  let gateway: Gateway;
  let alice: WsSipClient;

  const dial = async ({ number }: (typeof outcomes)[number]): Promise<number> => {
    const headers = [`To: <sip:${number}@localhost>`, 'Content-Type: application/sdp'];
    const invite = alice.request('INVITE', `sip:${number}@localhost`, { headers, body: sdp(7000) });
    const answered = await alice.transact(invite);
    if (answered.status !== 200) return answered.status;
    acknowledge(alice, answered);
    return (await alice.transact(inDialog(alice, 'BYE', answered))).status;
  };

  const answer = (peer: SipPeer, request: SipRequest): void => {
    const number = Number(/^sip:([0-9]+)@/.exec(request.requestUri)?.[1] ?? 200);
    if (request.method === 'ACK') return;
    if (request.method !== 'INVITE' || number === 200) {
      return peer.respond(request, 200, 'OK', request.method === 'INVITE' ? { body: sdp(9000) } : {});
    }
    peer.respond(request, number, 'As Dialled');
  };

  const start = async (): Promise<void> => {
    gateway = await startGateway({
      media: 'passthrough',
      limits: { callsPerEndpoint: 100, messagesPerSecond: 100_000 },
      trunks: [ipTrunk('pbx', `sip:127.0.0.1:${pbx.port};transport=udp`)],
      routes: [
        usersRoute,
        {
          name: 'out',
          match: /^(?:200|486|404|603)$/,
          fromTrunk: undefined,
          to: { kind: 'trunks', trunks: ['pbx'] },
        },
      ],
      cdr: {
        file: { path: join(folder, 'cdr.ndjson'), maxBytes: 0, keep: 1 },
        webhook: {
          url: receiver.url,
          token: undefined,
          timeoutMs: 1_000,
          queue: join(folder, 'queue'),
        },
      },
    });
    pbx.target = Number(gateway.sipAddress.split(':')[1]);
    alice = await WsSipClient.connect(gateway.wsUrl, { user: 'alice', password: passwordOf('alice') });
    await alice.register();
  };

  const run = async (from: number, to: number): Promise<void> => {
    let next = from;
    const worker = async (): Promise<void> => {
      while (next < to) {
        const outcome = outcomes[(next += 1) % outcomes.length] ?? outcomes[0];
        assert.equal(await dial(outcome), outcome.status);
      }
    };
    await Promise.all(Array.from({ length: atATime }, worker));
    await idle(gateway, ['calls']);
  };

  const stop = async (): Promise<void> => {
    await alice.close();
    await gateway.close();
  };

  before(async function () {
    // A drachtio-server sends from where it listens: the peer would have to be told.
    if (chosenEngine() === 'drachtio') return this.skip();
    folder = await mkdtemp(join(tmpdir(), 'webtrunk-thousand-'));
    receiver = await HttpReceiver.open();
    pbx = await UdpPeer.open(0);
    pbx.onMessage = (message) => {
      if (message.kind === 'request') answer(pbx, message);
    };
    await start();
  });

  after(async () => {
    await stop();
    await pbx.close();
    await receiver.close();
    await rm(folder, { recursive: true });
  });

  it('leaves one record each, in the file and at the webhook, which was down while webtrunk was restarted', async () => {
    await receiver.stop();
    await run(0, calls / 2);
    await stop();
    await start();
    await run(calls / 2, calls);
    await receiver.start();
    const posted = (): string[] => receiver.received.map(({ body }) => body);
    await receiver.until(() => new Set(posted()).size === calls);
    await idle(gateway, ['cdr_waiting'], 20_000);
    const lines = (await readFile(join(folder, 'cdr.ndjson'), 'utf8')).trimEnd().split('\n');
    const records = lines.map((line) => cdrSchema.parse(JSON.parse(line)));
    assert.equal(new Set(records.map(({ callId }) => callId)).size, calls);
    assert.equal(records.length, calls);
    assert.deepEqual(new Set(posted()), new Set(lines));
    for (const { code } of outcomes) {
      const count = records.filter(({ termination }) => termination.code === code).length;
      assert.equal(count, calls / outcomes.length, `${count} of ${code}`);
    }
  });
});
