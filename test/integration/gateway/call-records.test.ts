import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { z } from 'zod';
import { cdrSchema } from '../../../gateway/cdr/cdr-schema.js';
import { newBranch, newCallId, type SipRequest } from '../../../sip/message/index.js';
import { requireOwnEngine } from '../../support/engine-under-test.js';
import {
  ipTrunk,
  passwordOf,
  startGateway,
  usersRoute,
  type Gateway,
  type GatewayOptions,
} from '../../support/gateway.js';
import { idle } from '../../support/idle.js';
import { sdp, UdpPeer, type SipPeer } from '../../support/sip-peer.js';
import { requestBytes } from '../../support/sip-text.js';
import { answer, dial, hangUp, nextRequest } from '../../support/ws-call.js';
import { WsSipClient } from '../../support/ws-sip-client.js';

describe('the record of a call', function () {
  this.timeout(20_000);
  let folder: string;
  let gateway: Gateway;
  let alice: WsSipClient;
  let first: UdpPeer;
  let second: UdpPeer;

  const takeCall = (peer: SipPeer, request: SipRequest): void => {
    if (request.method === 'ACK') return;
    peer.respond(request, 200, 'OK', request.method === 'INVITE' ? { body: sdp(9000) } : {});
  };

  const refuse = (peer: SipPeer, request: SipRequest): void => {
    if (request.method === 'INVITE') peer.respond(request, 503, 'Service Unavailable');
    else takeCall(peer, request);
  };

  const open = async (change: GatewayOptions = {}): Promise<void> => {
    const trunk = (name: string, { port }: UdpPeer) => ipTrunk(name, `sip:127.0.0.1:${port};transport=udp`);
    const to = { kind: 'trunks' as const, trunks: ['first', 'second'] };
    gateway = await startGateway({
      media: 'passthrough',
      cdrFile: join(folder, 'cdr.ndjson'),
      trunks: [trunk('first', first), trunk('second', second)],
      routes: [usersRoute, { name: 'out', match: /^[0-9]+$/, fromTrunk: undefined, to }],
      ...change,
    });
    for (const peer of [first, second]) peer.aim(Number(gateway.sipAddress.split(':')[1]));
    alice = await WsSipClient.connect(gateway.wsUrl, { user: 'alice', password: passwordOf('alice') });
    assert.equal((await alice.register()).status, 200);
  };

  const callAlice = (peer: UdpPeer): void =>
    peer.send(
      requestBytes(
        'INVITE',
        {
          start: `INVITE sip:alice@${gateway.sipAddress} SIP/2.0`,
          Via: `SIP/2.0/UDP 127.0.0.1:${peer.port};branch=${newBranch()}`,
          'Call-ID': newCallId(),
          Contact: `<sip:bob@127.0.0.1:${peer.port}>`,
          'Content-Type': 'application/sdp',
        },
        sdp(6000),
      ),
    );

  /** When all calls are over. */
  const records = async (): Promise<z.infer<typeof cdrSchema>[]> => {
    await idle(gateway, ['calls', 'cdr_waiting']);
    const lines = (await readFile(join(folder, 'cdr.ndjson'), 'utf8')).trimEnd().split('\n');
    return lines.map((line) => cdrSchema.parse(JSON.parse(line)));
  };

  before(function () {
    requireOwnEngine(this);
  });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'webtrunk-records-'));
    first = await UdpPeer.open(0);
    second = await UdpPeer.open(0);
    for (const peer of [first, second])
      peer.onMessage = (message) => {
        if (message.kind === 'request') takeCall(peer, message);
      };
  });

  afterEach(async () => {
    await alice.close();
    await gateway.close();
    await first.close();
    await second.close();
    await rm(folder, { recursive: true });
  });

  it('has the Call-ID of each attempt, as the PBX saw it, also of one that failed', async () => {
    first.onMessage = (message) => {
      if (message.kind === 'request') refuse(first, message);
    };
    await open();
    await hangUp(alice, await dial(alice, '600'));
    const [record] = await records();
    const seenBy = async (peer: UdpPeer): Promise<string> => (await peer.request('INVITE')).callId;
    assert.deepEqual(
      record?.attempts.map(({ status, code, sipCallId }) => ({ status, code, sipCallId })),
      [
        { status: 503, code: 'upstream.refused', sipCallId: await seenBy(first) },
        { status: 200, code: 'call.answered', sipCallId: await seenBy(second) },
      ],
    );
    assert.equal(record?.callee?.sipCallId, record?.attempts[1]?.sipCallId);
  });

  it('is there for a call of a trunk that has no channel left, with the id that the log has', async () => {
    const oneChannel = ipTrunk('first', `sip:127.0.0.1:${first.port};transport=udp`, {
      limits: { channels: 1 },
    });
    await open({ trunks: [oneChannel], routes: [usersRoute] });
    callAlice(first);
    const invite = await nextRequest(alice, 'INVITE');
    callAlice(first);
    const refused = await first.status(503, 'INVITE');
    answer(alice, invite, 486);
    await first.status(486, 'INVITE');
    const [earlier, later, ...others] = await records();
    assert.deepEqual(others, []);
    assert.equal(earlier?.termination.code, 'limit.trunk_channels');
    assert.equal(later?.termination.code, 'callee.busy');
    assert.equal(earlier.caller.sipCallId, refused.callId);
    assert.match(earlier.caller.who, /^first 127\.0\.0\.1:/);
    const { route, attempts, callee, termination } = earlier;
    assert.deepEqual({ route, attempts, callee }, { route: null, attempts: [], callee: null });
    assert.deepEqual([termination.status, termination.by], [503, 'gateway']);
    const told = gateway.lines.find(({ event }) => event === 'call.refused');
    assert.equal(told?.['callId'], earlier.callId);
  });

  it('is there for a call too many of an endpoint, not for those that come too fast', async () => {
    await open({ limits: { callsPerEndpoint: 1, invitesPerMinute: 1 } });
    const answered = await dial(alice, '600');
    assert.equal(answered.status, 200);
    assert.equal((await dial(alice, '601')).status, 486);
    await hangUp(alice, answered);
    await idle(gateway, ['calls']);
    assert.equal((await dial(alice, '602')).status, 503);
    const codes = (await records()).map(({ termination }) => termination.code);
    assert.deepEqual(codes, ['limit.calls', 'call.completed']);
    assert.ok(gateway.lines.some(({ code }) => code === 'limit.invite_rate'));
  });
});
