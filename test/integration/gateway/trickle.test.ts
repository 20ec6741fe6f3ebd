import assert from 'node:assert/strict';
import { tagOf, type SipRequest, type SipResponse } from '../../../sip/message/index.js';
import { AudioCall } from '../../support/audio-call.js';
import { passwordOf, startGateway, type Gateway } from '../../support/gateway.js';
import { idle } from '../../support/idle.js';
import { acknowledge, answer, inCalledDialog, inDialog, nextRequest } from '../../support/ws-call.js';
import { asResponse, WsSipClient } from '../../support/ws-sip-client.js';

const contentType = 'application/trickle-ice-sdpfrag';
const takes = 'Recv-Info: trickle-ice';
const pwd = 'asd88fgpdd777uzjYhagZg';

const sdp = (ufrag: string): string =>
  [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111',
    'c=IN IP4 0.0.0.0',
    'a=rtpmap:111 opus/48000/2',
    'a=mid:0',
    'a=ice-options:trickle',
    `a=ice-ufrag:${ufrag}`,
    `a=ice-pwd:${pwd}`,
    '',
  ].join('\r\n');

const fragment = (ufrag: string, mid = '0', password = pwd): string =>
  [
    `a=ice-ufrag:${ufrag}`,
    `a=ice-pwd:${password}`,
    'm=audio 9 RTP/AVP 0',
    `a=mid:${mid}`,
    'a=candidate:1 1 UDP 2130706431 203.0.113.7 5000 typ host',
    'a=candidate:2 1 UDP 1694498815 192.168.0.9 5000 typ host',
    '',
  ].join('\r\n');

/** An INFO of the caller in the dialog that this response made. */
function info(
  client: WsSipClient,
  answered: SipResponse,
  body: string,
  { pack = 'trickle-ice', type = contentType }: { pack?: string; type?: string } = {},
): string {
  const target = /<([^>]+)>/.exec(answered.headers.get('contact') ?? '')?.[1] ?? '';
  const to = /<([^>]+)>/.exec(answered.headers.get('to') ?? '')?.[1] ?? '';
  return client.request('INFO', target, {
    headers: [
      `To: <${to}>;tag=${tagOf(answered.to) ?? ''}`,
      `Info-Package: ${pack}`,
      'Content-Disposition: Info-Package',
      `Content-Type: ${type}`,
    ],
    body,
  });
}

/** The ACK of a refusal: same branch, no dialog (RFC 3261 §17.1.1.3). */
function acknowledgement(client: WsSipClient, { headers, cseq }: SipResponse): string {
  const lines = [`Via: ${headers.get('via') ?? ''}`, `To: ${headers.get('to') ?? ''}`];
  return client.request('ACK', 'sip:bob@localhost', { headers: lines, cseq: cseq.number });
}

describe('trickled candidates', () => {
  describe('between two browsers whose media is direct', () => {
    let gateway: Gateway;
    let alice: WsSipClient;
    let bob: WsSipClient;

    const signIn = async (user: string): Promise<WsSipClient> => {
      const client = await WsSipClient.connect(gateway.wsUrl, { user, password: passwordOf(user) });
      assert.equal((await client.register()).status, 200);
      return client;
    };

    /** Alice calls and bob's phone rings. */
    const ring = async (...headers: string[]): Promise<readonly [SipResponse, SipRequest]> => {
      const lines = ['To: <sip:bob@localhost>', 'Content-Type: application/sdp', ...headers];
      alice.send(alice.request('INVITE', 'sip:bob@localhost', { headers: lines, body: sdp('alice') }));
      const invite = await nextRequest(bob, 'INVITE');
      answer(bob, invite, 180);
      return [asResponse(await alice.next((text) => text.startsWith('SIP/2.0 180'))), invite];
    };

    const pickUp = async (invite: SipRequest, trickles: boolean): Promise<SipResponse> => {
      answer(bob, invite, 200, {
        sdp: sdp('bob1'),
        headers: trickles ? [['Recv-Info', 'trickle-ice']] : [],
      });
      const answered = asResponse(
        await alice.next((text) => text.startsWith('SIP/2.0 200') && text.includes('INVITE')),
      );
      acknowledge(alice, answered);
      await nextRequest(bob, 'ACK');
      return answered;
    };

    const hangUp = async (answered: SipResponse): Promise<void> => {
      const bye = alice.transact(inDialog(alice, 'BYE', answered));
      answer(bob, await nextRequest(bob, 'BYE'), 200);
      assert.equal((await bye).status, 200);
    };

    beforeEach(async () => {
      gateway = await startGateway({ filterPrivateCandidates: true });
      [alice, bob] = [await signIn('alice'), await signIn('bob')];
    });

    afterEach(async () => {
      await idle(gateway);
      await Promise.all([alice.close(), bob.close()]);
      await gateway.close();
    });

    it('reach the callee when it has answered, without private addresses', async () => {
      const [ringing, invite] = await ring(takes);
      assert.equal(invite.headers.get('Recv-Info'), 'trickle-ice');
      assert.equal((await alice.transact(info(alice, ringing, fragment('alice')))).status, 200);
      const answered = await pickUp(invite, true);
      assert.equal(answered.headers.get('Recv-Info'), 'trickle-ice');
      const passed = await nextRequest(bob, 'INFO');
      assert.equal(passed.headers.get('Info-Package'), 'trickle-ice');
      assert.equal(passed.headers.get('Content-Type'), contentType);
      assert.match(passed.body.toString(), /a=candidate:1 1 UDP 2130706431 203\.0\.113\.7/);
      assert.doesNotMatch(passed.body.toString(), /192\.168/);
      answer(bob, passed, 200);
      await hangUp(answered);
    });

    it('of the callee reach the caller', async () => {
      const [, invite] = await ring(takes);
      const answered = await pickUp(invite, true);
      const ack = await nextRequest(bob, 'ACK');
      const empty = inCalledDialog(bob, 'INFO', invite, tagOf(ack.to) ?? '');
      const body = fragment('bob1');
      const headers = `Info-Package: trickle-ice\r\nContent-Type: ${contentType}\r\nContent-Length: ${body.length}`;
      const sent = bob.transact(empty.replace(/Content-Length: 0\r\n\r\n$/, `${headers}\r\n\r\n${body}`));
      const passed = await nextRequest(alice, 'INFO');
      assert.match(passed.body.toString(), /203\.0\.113\.7/);
      answer(alice, passed, 200);
      assert.equal((await sent).status, 200);
      await hangUp(answered);
    });

    it('are not sent to a side that does not take them, and neither side is told that it may trickle', async () => {
      const [, invite] = await ring();
      assert.equal(invite.headers.get('Recv-Info'), undefined);
      const answered = await pickUp(invite, false);
      assert.equal(answered.headers.get('Recv-Info'), undefined);
      assert.equal((await alice.transact(info(alice, answered, fragment('alice')))).status, 200);
      await hangUp(answered);
      assert.ok(!bob.received.some((text) => text.startsWith('INFO')));
    });

    for (const [what, body, options, status, said] of [
      ['another ICE generation', fragment('other'), {}, 400, /ice-ufrag/],
      ['another password', fragment('alice', '0', 'x'.repeat(22)), {}, 400, /ice-pwd/],
      ['a line that is not there', fragment('alice', '7'), {}, 400, /a=mid/],
      ['no generation', 'a=end-of-candidates\r\n', {}, 400, /ice-ufrag/],
      ['text', 'hello', {}, 400, /line 1/],
      ['another body', '{}', { type: 'application/json' }, 415, undefined],
      ['another package', 'x', { pack: 'conference' }, 469, undefined],
    ] as const) {
      it(`of ${what} are refused with ${status}`, async () => {
        const [ringing, invite] = await ring(takes);
        const refused = await alice.transact(info(alice, ringing, body, options));
        assert.equal(refused.status, status);
        if (said !== undefined) assert.match(refused.headers.get('Warning') ?? '', said);
        if (status === 415) assert.equal(refused.headers.get('Accept'), contentType);
        if (status === 469) assert.equal(refused.headers.get('Recv-Info'), 'trickle-ice');
        answer(bob, invite, 486);
        const busy = asResponse(await alice.next((text) => text.startsWith('SIP/2.0 486')));
        alice.send(acknowledgement(alice, busy));
      });
    }
  });

  it('of a browser towards the relay are taken, and the PBX hears nothing of them', async () => {
    const call = await AudioCall.open();
    try {
      assert.equal(call.answered.headers.get('Recv-Info'), 'trickle-ice');
      const offer = call.browser.localSdp;
      const [ufrag = '', password = ''] = [/a=ice-ufrag:(\S+)/, /a=ice-pwd:(\S+)/].map(
        (pattern) => pattern.exec(offer)?.[1] ?? '',
      );
      const mid = /a=mid:(\S+)/.exec(offer)?.[1] ?? '';
      const taken = await call.alice.transact(
        info(call.alice, call.answered, fragment(ufrag, mid, password)),
      );
      assert.equal(taken.status, 200);
      assert.ok(await call.pbx.silent(({ text }) => text.startsWith('INFO '), 100));
    } finally {
      await call.close();
    }
  });
});
