import assert from 'node:assert/strict';
import { readFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseMessage, type SipResponse } from '../../../sip/message/index.js';
import type { Cdr } from '../../../gateway/call/call-record.js';
import { passwordOf, startGateway, type Gateway } from '../../support/gateway.js';
import { callTables, idle } from '../../support/idle.js';
import { acknowledge, answer, inCalledDialog, inDialog, nextRequest } from '../../support/ws-call.js';
import { asResponse, WsSipClient } from '../../support/ws-sip-client.js';

const sdp = (mark: string, direction = 'sendrecv'): string =>
  [
    'v=0',
    `o=${mark} 1 1 IN IP4 127.0.0.1`,
    's=-',
    't=0 0',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111',
    'c=IN IP4 0.0.0.0',
    'a=rtpmap:111 opus/48000/2',
    `a=${direction}`,
    '',
  ].join('\r\n');

describe('calls between browsers', () => {
  let gateway: Gateway;
  let alice: WsSipClient;
  let bob: WsSipClient;
  let folder: string;
  const clients: WsSipClient[] = [];

  const signIn = async (user: string, instance: string): Promise<WsSipClient> => {
    const client = await WsSipClient.connect(gateway.wsUrl, {
      user,
      password: passwordOf(user),
      instanceId: `<urn:uuid:00000000-0000-4000-8000-${instance.padStart(12, '0')}>`,
    });
    clients.push(client);
    assert.equal((await client.register()).status, 200);
    return client;
  };

  /** The final or provisional response to the client's INVITE. */
  const responseTo = async (client: WsSipClient, pattern: RegExp, since = 0): Promise<SipResponse> =>
    asResponse(await client.next((text) => pattern.test(text) && /CSeq: \d+ INVITE/.test(text), since));

  const dial = (client: WsSipClient, user: string, body = sdp('alice')): void => {
    const headers = [
      `To: <sip:${user}@localhost>`,
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
    ];
    client.send(client.request('INVITE', `sip:${user}@localhost`, { headers, body }));
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'webtrunk-'));
    gateway = await startGateway({ cdrFile: join(folder, 'cdr.ndjson') });
    alice = await signIn('alice', '1');
    bob = await signIn('bob', '2');
  });

  afterEach(async () => {
    const sizes = gateway.app.inspect();
    for (const client of clients.splice(0)) await client.close();
    await gateway.close();
    await rm(folder, { recursive: true });
    for (const table of callTables) assert.equal(sizes[table], 0, `${table} is not empty after the call`);
  });

  const cdrs = async (): Promise<Cdr[]> => {
    await gateway.close();
    const text = await readFile(join(folder, 'cdr.ndjson'), 'utf8');
    return text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Cdr);
  };

  it('rings, connects with the SDP untouched, and ends; one CDR tells it', async () => {
    dial(alice, 'bob');
    const invite = await nextRequest(bob, 'INVITE');
    assert.equal(invite.body.toString(), sdp('alice'));
    assert.match(invite.headers.get('from') ?? '', /"?Alice"? <sip:alice@localhost>/);
    assert.equal(invite.headers.get('max-forwards'), '69');
    answer(bob, invite, 180);
    assert.equal((await responseTo(alice, /^SIP\/2.0 180/)).status, 180);
    answer(bob, invite, 200, { sdp: sdp('bob') });
    const connected = await responseTo(alice, /^SIP\/2.0 200/);
    assert.equal(connected.body.toString(), sdp('bob'));
    acknowledge(alice, connected);
    await nextRequest(bob, 'ACK');
    const bye = alice.transact(inDialog(alice, 'BYE', connected));
    answer(bob, await nextRequest(bob, 'BYE'), 200);
    assert.equal((await bye).status, 200);
    const [cdr, ...others] = await cdrs();
    assert.equal(others.length, 0);
    assert.equal(cdr?.termination.code, 'call.completed');
    assert.equal(cdr.termination.by, 'caller');
    assert.equal(cdr.route, 'users');
    assert.match(cdr.callee?.who ?? '', /^sip:bob@localhost e_/);
    for (const party of [cdr.caller, cdr.callee])
      assert.match(party?.remote ?? '', /^127\.0\.0\.1:[1-9][0-9]*$/);
  });

  for (const [status, words] of [
    [486, 'Busy Here'],
    [603, 'Decline'],
    [480, 'Temporarily Unavailable'],
  ] as const) {
    it(`passes ${status} of the callee to the caller`, async () => {
      dial(alice, 'bob');
      answer(bob, await nextRequest(bob, 'INVITE'), status);
      const refused = await responseTo(alice, /^SIP\/2.0 [3-6]/);
      assert.deepEqual([refused.status, refused.reason], [status, words]);
      await nextRequest(bob, 'ACK');
      alice.send(ackOf(alice, refused));
      await idle(gateway);
    });
  }

  it('cancels the callee when the caller gives up while it rings', async () => {
    dial(alice, 'bob');
    const invite = await nextRequest(bob, 'INVITE');
    answer(bob, invite, 180);
    const ringing = await responseTo(alice, /^SIP\/2.0 180/);
    alice.send(cancelOf(alice, ringing, 'sip:bob@localhost'));
    const cancel = await nextRequest(bob, 'CANCEL');
    answer(bob, cancel, 200);
    answer(bob, invite, 487);
    const refused = await responseTo(alice, /^SIP\/2.0 487/);
    alice.send(ackOf(alice, refused));
    await nextRequest(bob, 'ACK');
    await idle(gateway);
  });

  it('rings all devices of a user and tells the others when one has answered', async () => {
    const desk = await signIn('bob', '3');
    dial(alice, 'bob');
    const atPhone = await nextRequest(bob, 'INVITE');
    const atDesk = await nextRequest(desk, 'INVITE');
    answer(bob, atPhone, 180);
    answer(desk, atDesk, 180);
    answer(desk, atDesk, 200, { sdp: sdp('desk') });
    const connected = await responseTo(alice, /^SIP\/2.0 200/);
    assert.equal(connected.body.toString(), sdp('desk'));
    acknowledge(alice, connected);
    const cancel = await nextRequest(bob, 'CANCEL');
    assert.equal(cancel.headers.get('reason'), 'SIP;cause=200;text="Call completed elsewhere"');
    answer(bob, cancel, 200);
    answer(bob, atPhone, 487);
    await nextRequest(bob, 'ACK');
    await nextRequest(desk, 'ACK');
    const bye = desk.transact(byeOfCallee(desk, atDesk));
    answer(alice, await nextRequest(alice, 'BYE'), 200);
    assert.equal((await bye).status, 200);
    await idle(gateway);
  });

  it('carries a hold from the caller and one from the callee', async () => {
    const { connected, invite } = await connect();
    const held = alice.transact(inDialog(alice, 'INVITE', connected, { sdp: sdp('alice', 'sendonly') }));
    const since = bob.received.length;
    const reinvite = await nextRequest(bob, 'INVITE', since);
    assert.match(reinvite.body.toString(), /a=sendonly/);
    answer(bob, reinvite, 200, { sdp: sdp('bob', 'recvonly') });
    const answered = await held;
    assert.match(answered.body.toString(), /a=recvonly/);
    acknowledge(alice, answered);
    await nextRequest(bob, 'ACK', since);

    const sinceAlice = alice.received.length;
    const byBob = bob.transact(
      inCalledDialog(bob, 'INVITE', invite, localTagOf(bob), { sdp: sdp('bob', 'inactive') }),
    );
    const atAlice = await nextRequest(alice, 'INVITE', sinceAlice);
    answer(alice, atAlice, 200, { sdp: sdp('alice', 'inactive') });
    const bobsAnswer = await byBob;
    assert.equal(bobsAnswer.status, 200);
    bob.send(inCalledDialog(bob, 'ACK', invite, localTagOf(bob), { cseq: bobsAnswer.cseq.number }));
    await nextRequest(alice, 'ACK', sinceAlice);
    await hangUp(connected);
    const words = gateway.lines.map((line) => String(line['msg']));
    assert.equal(words.filter((line) => /hold/.test(line)).length, 2);
  });

  it('answers 491 when both sides re-invite at once', async () => {
    const { connected, invite } = await connect();
    const since = bob.received.length;
    const byAlice = alice.transact(inDialog(alice, 'INVITE', connected, { sdp: sdp('alice', 'sendonly') }));
    const atBob = await nextRequest(bob, 'INVITE', since);
    const byBob = bob.transact(inCalledDialog(bob, 'INVITE', invite, localTagOf(bob), { sdp: sdp('bob') }));
    const refused = await byBob;
    assert.equal(refused.status, 491);
    answer(bob, atBob, 200, { sdp: sdp('bob', 'recvonly') });
    const answered = await byAlice;
    assert.equal(answered.status, 200);
    acknowledge(alice, answered);
    await hangUp(connected);
  });

  it('answers 404 for a user that does not exist and 480 for one that is not online', async () => {
    dial(alice, 'dave');
    const unknown = await responseTo(alice, /^SIP\/2.0 [3-6]/);
    assert.equal(unknown.status, 404);
    alice.send(ackOf(alice, unknown));
    const since = alice.received.length;
    dial(alice, 'carol');
    const offline = await responseTo(alice, /^SIP\/2.0 [3-6]/, since);
    assert.equal(offline.status, 480);
    alice.send(ackOf(alice, offline));
    await idle(gateway);
  });

  it('keeps the call when a socket is lost and hangs up over the next one', async () => {
    const { connected } = await connect();
    await alice.close();
    const back = await signIn('alice', '1');
    const bye = back.transact(
      inDialog(alice, 'BYE', connected).replaceAll(alice.contactHost, back.contactHost),
    );
    answer(bob, await nextRequest(bob, 'BYE'), 200);
    assert.equal((await bye).status, 200);
    await idle(gateway);
  });

  it('never hands a forged identity on', async () => {
    const headers = [
      'To: <sip:bob@localhost>',
      'Content-Type: application/sdp',
      'P-Asserted-Identity: <sip:chief@localhost>',
      'Remote-Party-ID: <sip:chief@localhost>',
      'Diversion: <sip:chief@localhost>',
      'X-Account: 1',
      'Subject: lunch',
    ];
    alice.send(alice.request('INVITE', 'sip:bob@localhost', { headers, body: sdp('alice') }));
    const invite = await nextRequest(bob, 'INVITE');
    for (const name of ['P-Asserted-Identity', 'Remote-Party-ID', 'Diversion', 'X-Account']) {
      assert.equal(invite.headers.get(name), undefined, name);
    }
    assert.equal(invite.headers.get('Subject'), 'lunch');
    answer(bob, invite, 486);
    alice.send(ackOf(alice, await responseTo(alice, /^SIP\/2.0 486/)));
    await idle(gateway);
  });

  async function connect() {
    dial(alice, 'bob');
    const invite = await nextRequest(bob, 'INVITE');
    answer(bob, invite, 200, { sdp: sdp('bob') });
    const connected = await responseTo(alice, /^SIP\/2.0 200/);
    acknowledge(alice, connected);
    await nextRequest(bob, 'ACK');
    return { connected, invite };
  }

  async function hangUp(connected: SipResponse): Promise<void> {
    const since = bob.received.length;
    const bye = alice.transact(inDialog(alice, 'BYE', connected));
    answer(bob, await nextRequest(bob, 'BYE', since), 200);
    assert.equal((await bye).status, 200);
    await idle(gateway);
  }

  /** The tag that the client wrote into its own last answer is the one that comes back in requests to it. */
  function localTagOf(client: WsSipClient): string {
    const ack = client.received.find((text) => text.startsWith('ACK ')) ?? '';
    return /^To: .*;tag=([^\s;]+)/m.exec(ack)?.[1] ?? '';
  }

  function byeOfCallee(client: WsSipClient, invite: Awaited<ReturnType<typeof nextRequest>>): string {
    return inCalledDialog(client, 'BYE', invite, localTagOf(client));
  }
});

/** The ACK of a refusal: same branch, no dialog (RFC 3261 §17.1.1.3). */
function ackOf(client: WsSipClient, refused: SipResponse): string {
  return sameTransaction(client, 'ACK', refused, 'sip:bob@localhost', refused.headers.get('to') ?? '');
}

function cancelOf(client: WsSipClient, ringing: SipResponse, uri: string): string {
  const to = (ringing.headers.get('to') ?? '').replace(/;tag=.*/, '');
  return sameTransaction(client, 'CANCEL', ringing, uri, to);
}

function sameTransaction(
  client: WsSipClient,
  method: string,
  response: SipResponse,
  uri: string,
  to: string,
): string {
  const branch = /branch=([^;\s]+)/.exec(response.headers.get('via') ?? '')?.[1] ?? '';
  const text = client.request(method, uri, {
    headers: [`To: ${to}`, `Via: SIP/2.0/WS ${client.contactHost};branch=${branch};rport`],
    cseq: response.cseq.number,
  });
  assert.equal(parseMessage(Buffer.from(text), { framing: 'websocket' }).kind, 'request');
  return text;
}
