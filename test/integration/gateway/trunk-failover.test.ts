import assert from 'node:assert/strict';
import type { TrunkConfig } from '../../../gateway/config/config.js';
import { newBranch, newCallId, type SipRequest, type SipResponse } from '../../../sip/message/index.js';
import { ipTrunk, passwordOf, startGateway, usersRoute, type Gateway } from '../../support/gateway.js';
import { requireOwnEngine } from '../../support/engine-under-test.js';
import { idle } from '../../support/idle.js';
import { numbersFrom } from '../../support/seeded-random.js';
import { sdp, UdpPeer } from '../../support/sip-peer.js';
import { requestBytes } from '../../support/sip-text.js';
import { answer, inDialog, nextRequest } from '../../support/ws-call.js';
import { asResponse, WsSipClient } from '../../support/ws-sip-client.js';

/** Alice does not acknowledge refusals: the transactions of her endpoint stay for a while. */
const tables = ['calls', 'direct_media_sessions', 'trunk_legs', 'trunk_channels', 'user_channels'];

describe('the targets of a call', function () {
  this.timeout(15_000);
  let gateway: Gateway;
  let alice: WsSipClient;
  let first: UdpPeer;
  let second: UdpPeer;

  const open = async (
    change: Partial<TrunkConfig> = {},
    limits: Parameters<typeof startGateway>[0] = {},
  ): Promise<void> => {
    first = await UdpPeer.open(0);
    second = await UdpPeer.open(0);
    const trunk = (name: string, peer: UdpPeer, address: string, more: Partial<TrunkConfig> = {}) =>
      ipTrunk(name, `sip:${address}:${peer.port};transport=udp`, more);
    gateway = await startGateway({
      media: 'passthrough',
      trunks: [trunk('first', first, '127.0.0.1', change), trunk('second', second, '127.0.0.1')],
      routes: [
        usersRoute,
        {
          ...usersRoute,
          name: 'out',
          match: /^[0-9]+$/,
          to: { kind: 'trunks', trunks: ['first', 'second'] },
        },
        {
          ...usersRoute,
          name: 'emergency',
          match: /^112$/,
          emergency: true,
          to: { kind: 'trunks', trunks: ['first', 'second'] },
        },
      ],
      ...limits,
    });
    const port = Number(gateway.sipAddress.split(':')[1]);
    first.aim(port);
    second.aim(port);
    alice = await WsSipClient.connect(gateway.wsUrl, { user: 'alice', password: passwordOf('alice') });
    assert.equal((await alice.register()).status, 200);
  };

  afterEach(async () => {
    await alice.close();
    await first.close();
    await second.close();
    await gateway.close();
  });

  /** Alice calls; gives the Call-ID. */
  const dial = (number = '600'): string => {
    const callId = newCallId();
    alice.send(
      alice.request('INVITE', `sip:${number}@localhost`, {
        headers: [`Call-ID: ${callId}`, `To: <sip:${number}@localhost>`, 'Content-Type: application/sdp'],
        body: sdp(7000),
      }),
    );
    return callId;
  };

  /** What alice hears of a call. */
  const heard = async (callId: string, wanted: RegExp): Promise<SipResponse> =>
    asResponse(
      await alice.next(
        (text) => wanted.test(text) && text.includes(callId) && /^CSeq: \d+ INVITE/m.test(text),
      ),
    );

  const refuse = (peer: UdpPeer, request: SipRequest, status: number, reason: string): void =>
    peer.respond(request, status, reason, { headers: [] });

  const send = (method: 'ACK' | 'BYE', answered: SipResponse): void => {
    const headers = [`Call-ID: ${answered.callId}`];
    const number = method === 'ACK' ? { cseq: answered.cseq.number } : {};
    alice.send(inDialog(alice, method, answered, { headers, ...number }));
  };

  /** The call is answered, acknowledged and hung up. */
  const complete = async (callId: string, peer: UdpPeer): Promise<void> => {
    const answered = await heard(callId, /^SIP\/2\.0 200/);
    send('ACK', answered);
    await peer.request('ACK');
    send('BYE', answered);
    peer.respond(await peer.request('BYE'), 200, 'OK');
    await idle(gateway, tables);
  };

  const callFrom = (peer: UdpPeer, address: string): void =>
    peer.send(
      requestBytes(
        'INVITE',
        {
          start: `INVITE sip:alice@${gateway.sipAddress} SIP/2.0`,
          Via: `SIP/2.0/UDP ${address}:${peer.port};branch=${newBranch()}`,
          'Call-ID': newCallId(),
          Contact: `<sip:bob@${address}:${peer.port}>`,
          'Content-Type': 'application/sdp',
        },
        sdp(6000),
      ),
    );

  it('are left when they say nothing in time, and cancelled when they speak later', async () => {
    await open({ attemptTimeoutMs: 300 });
    const call = dial();
    const lost = await first.request('INVITE');
    const request = await second.request('INVITE');
    refuse(first, lost, 180, 'Ringing');
    first.respond(await first.request('CANCEL'), 200, 'OK');
    refuse(first, lost, 487, 'Request Terminated');
    second.respond(request, 183, 'Session Progress', { body: sdp(6100) });
    assert.match((await heard(call, /^SIP\/2\.0 18/)).reason, /Session Progress/);
    second.respond(request, 200, 'OK', { body: sdp(6100) });
    await complete(call, second);
  });

  it('are left when nothing follows 100 Trying in time, longer than when there is nothing at all', async function () {
    requireOwnEngine(this);
    await open({ attemptTimeoutMs: 200, progressTimeoutMs: 600 });
    const call = dial();
    const lost = await first.request('INVITE');
    refuse(first, lost, 100, 'Trying');
    const beganMs = Date.now();
    first.respond(await first.request('CANCEL'), 200, 'OK');
    assert.ok(Date.now() - beganMs > 500);
    refuse(first, lost, 180, 'Ringing');
    first.respond(lost, 200, 'OK', { body: sdp(6000) });
    await first.request('ACK');
    first.respond(await first.request('BYE'), 200, 'OK');
    const request = await second.request('INVITE');
    refuse(second, request, 100, 'Trying');
    second.respond(request, 200, 'OK', { body: sdp(6100) });
    await complete(call, second);
  });

  it('are left by an emergency call too, when they say nothing in time or nothing but 100 Trying', async function () {
    requireOwnEngine(this);
    await open({ attemptTimeoutMs: 200, progressTimeoutMs: 400, limits: { maxRingMs: 50 } });
    for (const status of [undefined, 100]) {
      const call = dial('112');
      const lost = await first.request('INVITE');
      if (status !== undefined) refuse(first, lost, status, 'Trying');
      const request = await second.request('INVITE');
      second.respond(request, 200, 'OK', { body: sdp(6100) });
      if (status === undefined) refuse(first, lost, 180, 'Ringing');
      first.respond(await first.request('CANCEL'), 200, 'OK');
      refuse(first, lost, 487, 'Request Terminated');
      await complete(call, second);
    }
  });

  it('hand over after 5xx, and the caller hears the early media of the one that lives', async () => {
    await open();
    const call = dial();
    const lost = await first.request('INVITE');
    first.respond(lost, 183, 'Session Progress', { body: sdp(6001) });
    await heard(call, /m=audio 6001/);
    refuse(first, lost, 503, 'Service Unavailable');
    const request = await second.request('INVITE');
    second.respond(request, 183, 'Session Progress', { body: sdp(6002) });
    await heard(call, /m=audio 6002/);
    second.respond(request, 200, 'OK', { body: sdp(6002) });
    await complete(call, second);
  });

  it('do not ring twice: after 180 nobody else is asked', async () => {
    await open();
    const call = dial();
    const request = await first.request('INVITE');
    first.respond(request, 180, 'Ringing');
    await heard(call, /^SIP\/2\.0 180/);
    refuse(first, request, 503, 'Service Unavailable');
    await heard(call, /^SIP\/2\.0 503/);
    await idle(gateway, tables);
    assert.deepEqual(second.seen, []);
  });

  it('hand over after the answers that are configured, and no others', async () => {
    await open({ failoverOn: [404] });
    const call = dial();
    refuse(first, await first.request('INVITE'), 404, 'Not Found');
    second.respond(await second.request('INVITE'), 200, 'OK', { body: sdp(6000) });
    await complete(call, second);
    const other = dial();
    refuse(first, await first.request('INVITE'), 500, 'Server Internal Error');
    await heard(other, /^SIP\/2\.0 500/);
    await idle(gateway, tables);
  });

  it('are passed over when their channels are in use', async () => {
    await open({ limits: { channels: 1 } });
    dial();
    const request = await first.request('INVITE');
    assert.deepEqual(gateway.app.trunkStatuses.get('first')?.channels, { in: 0, out: 1 });
    dial();
    refuse(second, await second.request('INVITE'), 486, 'Busy Here');
    refuse(first, request, 486, 'Busy Here');
    await idle(gateway, tables);
  });

  it('share their channels with calls from there, which are refused with a reason', async () => {
    await open({ limits: { channels: 1 } });
    dial();
    const request = await first.request('INVITE');
    callFrom(first, '127.0.0.1');
    assert.equal((await first.status(503, 'INVITE')).reason, 'No Free Channel');
    refuse(first, request, 486, 'Busy Here');
    await idle(gateway, tables);
    callFrom(first, '127.0.0.1');
    const ringing = await nextRequest(alice, 'INVITE');
    assert.deepEqual(gateway.app.trunkStatuses.get('first')?.channels, { in: 1, out: 0 });
    answer(alice, ringing, 486);
    await first.status(486, 'INVITE');
    await idle(gateway, tables);
  });

  it('end a call that rings longer than its trunk allows, and one that lasts longer', async () => {
    await open({ limits: { maxRingMs: 200, maxDurationMs: 200 } });
    const call = dial();
    const ringing = await first.request('INVITE');
    first.respond(ringing, 180, 'Ringing');
    first.respond(await first.request('CANCEL'), 200, 'OK');
    refuse(first, ringing, 487, 'Request Terminated');
    await heard(call, /^SIP\/2\.0 480/);
    const other = dial();
    first.respond(await first.request('INVITE'), 200, 'OK', { body: sdp(6000) });
    send('ACK', await heard(other, /^SIP\/2\.0 200/));
    first.respond(await first.request('BYE'), 200, 'OK');
    answer(alice, await nextRequest(alice, 'BYE'), 200);
    await idle(gateway, tables);
  });

  it('that do not answer BYE keep nobody from closing: the record is written, and the log names their leg', async () => {
    await open();
    const call = dial();
    first.respond(await first.request('INVITE'), 200, 'OK', { body: sdp(6000) });
    send('ACK', await heard(call, /^SIP\/2\.0 200/));
    await first.request('ACK');
    const beganMs = Date.now();
    const closed = gateway.close();
    await first.request('BYE');
    answer(alice, await nextRequest(alice, 'BYE'), 200);
    await closed;
    assert.ok(Date.now() - beganMs < 4_500);
    const told = gateway.lines.filter(({ event }) => /^call\.(abandoned|ended)$/.test(String(event)));
    assert.deepEqual(
      told.map(({ event, code }) => [event, code]),
      [
        ['call.abandoned', undefined],
        ['call.ended', 'gateway.draining'],
      ],
    );
    const attempt = gateway.lines.find(({ event }) => event === 'call.attempt');
    assert.deepEqual(told[0]?.['legIds'], [attempt?.['legId']]);
  });

  it('are asked for no user who has too many calls, or makes them too fast', async () => {
    await open({}, { limits: { user: { channels: 1, cps: 2 } } });
    dial();
    const request = await first.request('INVITE');
    await heard(dial(), /^SIP\/2\.0 486/);
    refuse(first, request, 486, 'Busy Here');
    await idle(gateway, tables);
    dial();
    refuse(first, await first.request('INVITE'), 486, 'Busy Here');
    await idle(gateway, tables);
    assert.equal((await heard(dial(), /^SIP\/2\.0 503/)).reason, 'Too Many Calls At Once');
    await idle(gateway, tables);
  });

  it('give every channel back, whatever becomes of 200 calls', async () => {
    await open({ attemptTimeoutMs: 500, limits: { channels: 20 } }, { limits: { callsPerEndpoint: 100 } });
    const random = numbersFrom(11);
    for (const peer of [first, second]) {
      peer.onMessage = (message) => {
        if (message.kind !== 'request') return;
        if (message.method === 'BYE' || message.method === 'CANCEL') return peer.respond(message, 200, 'OK');
        if (message.method !== 'INVITE') return;
        const lot = random();
        if (lot < 0.1) return;
        if (lot < 0.4) peer.respond(message, 180, 'Ringing');
        if (lot < 0.6) return peer.respond(message, 200, 'OK', { body: sdp(6000) });
        refuse(peer, message, [404, 486, 500, 503, 603][Math.floor(random() * 5)] ?? 500, 'No');
      };
    }
    const outcomes = new Map<number, number>();
    for (let batch = 0; batch < 10; batch += 1) {
      const calls = Array.from({ length: 20 }, () => dial());
      for (const call of calls) {
        const final = await heard(call, /^SIP\/2\.0 [2-6]/);
        outcomes.set(final.status, (outcomes.get(final.status) ?? 0) + 1);
        if (final.status !== 200) continue;
        send('ACK', final);
        send('BYE', final);
      }
      await idle(gateway, ['calls', 'trunk_channels']);
    }
    assert.ok((outcomes.get(200) ?? 0) > 20, JSON.stringify([...outcomes]));
    assert.ok(outcomes.size >= 4, JSON.stringify([...outcomes]));
    await idle(gateway, [
      'calls',
      'trunk_channels',
      'user_channels',
      'direct_media_sessions',
      'media_sessions',
    ]);
  });
});
