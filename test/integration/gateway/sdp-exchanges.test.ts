import assert from 'node:assert/strict';
import { newBranch, newCallId, type SipRequest, type SipResponse } from '../../../sip/message/index.js';
import { ipTrunk, passwordOf, startGateway, usersRoute, type Gateway } from '../../support/gateway.js';
import { idle } from '../../support/idle.js';
import { attribute, originVersion } from '../../support/media-session.js';
import { codecNames, mediaLines } from '../../support/sdp-ends.js';
import { fixture, pbxSdp } from '../../support/sdp-fixtures.js';
import { UdpPeer } from '../../support/sip-peer.js';
import { requestBytes } from '../../support/sip-text.js';
import { acknowledge, answer, inDialog, nextRequest } from '../../support/ws-call.js';
import { asResponse, WsSipClient } from '../../support/ws-sip-client.js';

const here = '127.0.0.1';
const browserOffer = fixture('audio-offer.trickle');
/** The browser's answer to whatever we offer: G.711 alone. */
const browserAnswer = browserOffer
  .replace('a=setup:actpass', 'a=setup:active')
  .replace(/^(m=audio \d+ \S+) .*\r$/m, '$1 0\r');

const directed = (sdp: string, direction: string): string =>
  sdp.replace(/^a=(?:sendrecv|sendonly|recvonly|inactive)\r$/m, `a=${direction}\r`);
const directionOf = (sdp: string): string | undefined =>
  /^a=(sendrecv|sendonly|recvonly|inactive)\r$/m.exec(sdp)?.[1];
const pbx = (lines: readonly string[] = ['a=sendrecv'], address = here): string =>
  pbxSdp('0', lines, address);
const warning = (response: SipResponse): string | undefined => response.headers.get('Warning');

describe('SDP through the whole gateway with the relay', () => {
  let gateway: Gateway;
  let alice: WsSipClient;
  let office: UdpPeer;

  beforeEach(async () => {
    office = await UdpPeer.open(0);
    const trunk = ipTrunk('office', `sip:${here}:${office.port};transport=udp`);
    gateway = await startGateway({
      trunks: [{ ...trunk, media: { ...trunk.media, codecs: ['PCMU', 'PCMA'] } }],
      routes: [
        usersRoute,
        { ...usersRoute, name: 'office', match: /^600$/, to: { kind: 'trunks', trunks: ['office'] } },
      ],
    });
    office.aim(Number(gateway.sipAddress.split(':')[1]));
    alice = await WsSipClient.connect(gateway.wsUrl, { user: 'alice', password: passwordOf('alice') });
    assert.equal((await alice.register()).status, 200);
  });

  afterEach(async () => {
    await alice.close();
    await office.close();
    await gateway.close();
  });

  const dial = (body: string, headers: readonly string[] = []): void => {
    const type = body === '' ? [] : ['Content-Type: application/sdp'];
    alice.send(
      alice.request('INVITE', 'sip:600@localhost', {
        headers: ['To: <sip:600@localhost>', ...type, ...headers],
        body,
      }),
    );
  };

  const heard = async (status: number, method: string, since = 0): Promise<SipResponse> =>
    asResponse(
      await alice.next(
        (text) => text.startsWith(`SIP/2.0 ${status}`) && new RegExp(`^CSeq: \\d+ ${method}`, 'm').test(text),
        since,
      ),
    );

  interface Connected {
    readonly invite: SipRequest;
    readonly answered: SipResponse;
  }

  const connect = async (): Promise<Connected> => {
    dial(browserOffer);
    const invite = await office.request('INVITE');
    office.respond(invite, 200, 'OK', { body: pbx() });
    const answered = await heard(200, 'INVITE');
    acknowledge(alice, answered);
    await office.request('ACK');
    return { invite, answered };
  };

  /** A request of the PBX's in the dialog of our INVITE. */
  const fromOffice = (invite: SipRequest, method: string, cseq: number, body = ''): void => {
    const [, target = ''] = /<([^>]+)>/.exec(invite.headers.get('contact') ?? '') ?? [];
    office.send(
      requestBytes(
        method,
        {
          start: `${method} ${target} SIP/2.0`,
          Via: `SIP/2.0/UDP ${here}:${office.port};branch=${newBranch()}`,
          From: `${invite.headers.get('to') ?? ''};tag=peer`,
          To: invite.headers.get('from') ?? '',
          'Call-ID': invite.callId,
          CSeq: `${cseq} ${method}`,
          Contact: `<sip:peer@${here}:${office.port}>`,
          ...(body === '' ? {} : { 'Content-Type': 'application/sdp' }),
        },
        body,
      ),
    );
  };

  const leave = async ({ answered }: Connected): Promise<void> => {
    const bye = alice.transact(inDialog(alice, 'BYE', answered));
    office.respond(await office.request('BYE'), 200, 'OK');
    assert.equal((await bye).status, 200);
  };

  const hangUp = async (call: Connected): Promise<void> => {
    await leave(call);
    await idle(gateway);
  };

  /** A re-INVITE of the browser's that the PBX answers; gives what both saw. */
  const reinvite = async (call: Connected, offer: string, reply: string, status = 200) => {
    const done = alice.transact(inDialog(alice, 'INVITE', call.answered, { sdp: offer }));
    const told = await office.request('INVITE');
    if (status === 200) office.respond(told, 200, 'OK', { body: reply });
    else office.respond(told, status, 'Not Acceptable Here', { headers: ['Warning: 304 pbx "no"'] });
    const answered = await done;
    await office.request('ACK');
    if (answered.status === 200) acknowledge(alice, answered);
    return { told: told.body.toString(), answered };
  };

  describe('that cannot be agreed on', () => {
    it('is refused to the browser with 488 and the line', async () => {
      const opusOnly = browserOffer.replace(/^(m=audio \d+ \S+) .*\r$/m, '$1 111\r');
      dial(opusOnly);
      const refused = await heard(488, 'INVITE');
      assert.match(
        warning(refused) ?? '',
        /^305 webtrunk "m=audio \(line 1\): no shared codec, given opus, taken PCMU PCMA"$/,
      );
    });

    it('is refused to the browser when the PBX answers with what was not offered; the PBX hears BYE', async () => {
      dial(browserOffer);
      const invite = await office.request('INVITE');
      office.respond(invite, 200, 'OK', { body: pbxSdp('18', [], here) });
      await office.request('ACK');
      office.respond(await office.request('BYE'), 200, 'OK');
      const refused = await heard(488, 'INVITE');
      assert.match(warning(refused) ?? '', /^305 webtrunk "m=audio \(line 1\): no shared codec, given G729/);
    });

    for (const [what, body, expected] of [
      [
        'G.729 alone',
        pbxSdp('18', [], here),
        /^305 webtrunk "m=audio \(line 1\): no shared codec, given G729/,
      ],
      [
        'SRTP with keys in SDP',
        fixture('twilio-srtp-offer'),
        /^302 webtrunk "m=audio \(line 1\): transport RTP\/SAVP is not taken here/,
      ],
      ['a fax', fixture('fax-offer'), /^304 webtrunk "m=image \(line 1\)/],
    ] as const) {
      it(`is refused to the PBX with 488 and the line: ${what}`, async () => {
        callAlice(body);
        const refused = await office.status(488, 'INVITE');
        assert.match(warning(refused) ?? '', expected);
        await idle(gateway);
      });
    }
  });

  /** The PBX calls alice; gives what sends more requests of that call. */
  const callAlice = (
    body: string,
  ): ((method: string, to: string, cseq: number, content?: string) => void) => {
    const callId = newCallId();
    const send = (method: string, changes: Readonly<Record<string, string>>, content: string): void =>
      office.send(
        requestBytes(
          method,
          {
            start: `${method} sip:alice@${gateway.sipAddress} SIP/2.0`,
            Via: `SIP/2.0/UDP ${here}:${office.port};branch=${newBranch()}`,
            'Call-ID': callId,
            Contact: `<sip:bob@${here}:${office.port}>`,
            ...(content === '' ? {} : { 'Content-Type': 'application/sdp' }),
            ...changes,
          },
          content,
        ),
      );
    send('INVITE', { CSeq: '1 INVITE' }, body);
    return (method, to, cseq, content = '') => send(method, { To: to, CSeq: `${cseq} ${method}` }, content);
  };

  describe('offered late', () => {
    it('by the PBX in its 200: the browser’s ACK answers', async () => {
      dial('');
      const invite = await office.request('INVITE');
      assert.equal(invite.body.length, 0);
      office.respond(invite, 200, 'OK', { body: pbx() });
      const answered = await heard(200, 'INVITE');
      const offered = answered.body.toString();
      assert.deepEqual(codecNames(offered), ['PCMU/8000']);
      assert.equal(attribute(offered, 'setup'), 'actpass');
      acknowledge(alice, answered, browserAnswer);
      const ack = await office.request('ACK');
      assert.match(mediaLines(ack.body.toString())[0] ?? '', /^audio \d+ RTP\/AVP 0$/);
      await hangUp({ invite, answered });
    });

    it('by the browser in its 200: the PBX’s ACK answers', async () => {
      const send = callAlice('');
      const invite = await nextRequest(alice, 'INVITE');
      assert.equal(invite.body.length, 0);
      answer(alice, invite, 200, { sdp: browserOffer });
      const ok = await office.status(200, 'INVITE');
      assert.match(mediaLines(ok.body.toString())[0] ?? '', /^audio \d+ RTP\/AVP 0 8 126$/);
      const to = ok.headers.get('To') ?? '';
      send('ACK', to, 1, pbx());
      const ack = await nextRequest(alice, 'ACK');
      assert.match(mediaLines(ack.body.toString())[0] ?? '', /^audio \d+ UDP\/TLS\/RTP\/SAVPF 0$/);
      assert.equal(attribute(ack.body.toString(), 'setup'), 'passive');
      send('BYE', to, 2);
      answer(alice, await nextRequest(alice, 'BYE'), 200);
      await office.status(200, 'BYE');
      await idle(gateway);
    });
  });

  describe('hold', () => {
    for (const [what, offer, told, answered, replied] of [
      ['sendonly', pbx(['a=sendonly']), 'sendonly', 'recvonly', 'recvonly'],
      ['inactive', pbx(['a=inactive']), 'inactive', 'inactive', 'inactive'],
      ['c=0.0.0.0', pbx(['a=sendrecv'], '0.0.0.0'), 'sendonly', 'recvonly', 'recvonly'],
      ['c=0.0.0.0 and inactive', pbx(['a=inactive'], '0.0.0.0'), 'inactive', 'inactive', 'inactive'],
    ] as const) {
      it(`of the PBX by ${what}, and back`, async () => {
        const call = await connect();
        for (const [cseq, sdp, expected, reply, final] of [
          [1, offer, told, answered, replied],
          [2, pbx(), 'sendrecv', 'sendrecv', 'sendrecv'],
        ] as const) {
          const since = alice.received.length;
          fromOffice(call.invite, 'INVITE', cseq, sdp);
          const seen = await nextRequest(alice, 'INVITE', since);
          assert.equal(directionOf(seen.body.toString()), expected);
          answer(alice, seen, 200, { sdp: directed(browserAnswer, reply) });
          await nextRequest(alice, 'ACK', since);
          const ok = await office.status(200, 'INVITE');
          assert.equal(directionOf(ok.body.toString()), final);
          fromOffice(call.invite, 'ACK', cseq);
        }
        await hangUp(call);
      });
    }

    it('of the browser, and back: the same port, the version one higher each time', async () => {
      const call = await connect();
      const before = call.invite.body.toString();
      const held = await reinvite(call, directed(browserOffer, 'sendonly'), pbx(['a=recvonly']));
      assert.equal(directionOf(held.told), 'sendonly');
      assert.equal(directionOf(held.answered.body.toString()), 'recvonly');
      const resumed = await reinvite(call, browserOffer, pbx());
      assert.equal(directionOf(resumed.answered.body.toString()), 'sendrecv');
      assert.deepEqual(
        [before, held.told, resumed.told].map((sdp) => originVersion(sdp) - originVersion(before)),
        [0, 1, 2],
      );
      const end = attribute(call.answered.body.toString(), 'fingerprint');
      assert.equal(attribute(resumed.answered.body.toString(), 'fingerprint'), end);
      assert.equal(mediaLines(resumed.told)[0]?.split(' ')[1], mediaLines(before)[0]?.split(' ')[1]);
      await hangUp(call);
    });

    it('that the PBX refuses leaves the call as it was', async () => {
      const call = await connect();
      const refused = await reinvite(call, directed(browserOffer, 'sendonly'), '', 488);
      assert.equal(refused.answered.status, 488);
      assert.equal(warning(refused.answered), '304 pbx "no"');
      const again = await reinvite(call, browserOffer, pbx());
      assert.equal(directionOf(again.told), 'sendrecv');
      assert.equal(again.answered.status, 200);
      await leave(call);
    });
  });

  describe('in a re-INVITE', () => {
    it('of the PBX with another codec is carried to the browser', async () => {
      const call = await connect();
      const since = alice.received.length;
      fromOffice(call.invite, 'INVITE', 1, pbxSdp('8', [], here));
      const seen = await nextRequest(alice, 'INVITE', since);
      assert.deepEqual(codecNames(seen.body.toString()), ['PCMA/8000']);
      answer(alice, seen, 200, { sdp: browserAnswer.replace(/^(m=audio \d+ \S+) 0\r$/m, '$1 8\r') });
      const ok = await office.status(200, 'INVITE');
      assert.deepEqual(mediaLines(ok.body.toString())[0]?.split(' ').slice(2), ['RTP/AVP', '8']);
      fromOffice(call.invite, 'ACK', 1);
      await nextRequest(alice, 'ACK', since);
      await hangUp(call);
    });

    it('of the PBX without SDP asks the browser for an offer, and the ACKs carry the answer', async () => {
      const call = await connect();
      const since = alice.received.length;
      fromOffice(call.invite, 'INVITE', 1);
      const seen = await nextRequest(alice, 'INVITE', since);
      assert.equal(seen.body.length, 0);
      answer(alice, seen, 200, { sdp: browserOffer });
      const ok = await office.status(200, 'INVITE');
      assert.equal(mediaLines(ok.body.toString())[0]?.split(' ')[2], 'RTP/AVP');
      fromOffice(call.invite, 'ACK', 1, pbx(['a=sendonly']));
      const ack = await nextRequest(alice, 'ACK', since);
      assert.equal(directionOf(ack.body.toString()), 'sendonly');
      assert.equal(attribute(ack.body.toString(), 'setup'), 'passive');
      await hangUp(call);
    });

    it('or UPDATE: hold of the PBX by UPDATE reaches the browser as a re-INVITE, and the other way round', async () => {
      const call = await connect();
      const since = alice.received.length;
      fromOffice(call.invite, 'UPDATE', 1, pbx(['a=sendonly']));
      const seen = await nextRequest(alice, 'INVITE', since);
      assert.equal(directionOf(seen.body.toString()), 'sendonly');
      answer(alice, seen, 200, { sdp: directed(browserAnswer, 'recvonly') });
      await nextRequest(alice, 'ACK', since);
      const ok = await office.status(200, 'UPDATE');
      assert.equal(directionOf(ok.body.toString()), 'recvonly');
      const done = alice.transact(
        inDialog(alice, 'UPDATE', call.answered, { sdp: directed(browserOffer, 'inactive') }),
      );
      const told = await office.request('INVITE');
      assert.equal(directionOf(told.body.toString()), 'inactive');
      office.respond(told, 200, 'OK', { body: pbx(['a=inactive']) });
      assert.equal(directionOf((await done).body.toString()), 'inactive');
      await office.request('ACK');
      await hangUp(call);
    });

    it('of the PBX without a shared codec is refused with the line, and the call goes on', async () => {
      const call = await connect();
      fromOffice(call.invite, 'INVITE', 1, pbxSdp('18', [], here));
      const refused = await office.status(488, 'INVITE');
      assert.match(warning(refused) ?? '', /^305 webtrunk "m=audio \(line 1\): no shared codec, given G729/);
      const again = await reinvite(call, directed(browserOffer, 'sendonly'), pbx(['a=recvonly']));
      assert.equal(again.answered.status, 200);
      await leave(call);
    });

    it('of the browser without a shared codec is refused with the line, and the PBX hears nothing', async () => {
      const call = await connect();
      const g722 = browserOffer.replace(/^(m=audio \d+ \S+) .*\r$/m, '$1 9\r');
      const refused = await alice.transact(inDialog(alice, 'INVITE', call.answered, { sdp: g722 }));
      assert.equal(refused.status, 488);
      assert.match(warning(refused) ?? '', /^305 webtrunk "m=audio \(line 1\): no shared codec, given G722/);
      const resumed = await reinvite(call, directed(browserOffer, 'sendonly'), pbx(['a=recvonly']));
      assert.equal(originVersion(resumed.told), originVersion(call.invite.body.toString()) + 1);
      await leave(call);
    });

    it('of the browser that restarts ICE is answered with other credentials; any other one with the same', async () => {
      const call = await connect();
      const credentials = (sdp: string): readonly (string | undefined)[] =>
        ['ice-ufrag', 'ice-pwd', 'fingerprint', 'setup'].map((name) => attribute(sdp, name));
      const first = credentials(call.answered.body.toString());
      const held = await reinvite(call, directed(browserOffer, 'sendonly'), pbx(['a=recvonly']));
      assert.deepEqual(credentials(held.answered.body.toString()), first);
      const restarted = browserOffer
        .replace(/^a=ice-ufrag:.*\r$/m, 'a=ice-ufrag:other\r')
        .replace(/^a=ice-pwd:.*\r$/m, 'a=ice-pwd:anotherpasswordof24chars\r');
      const again = await reinvite(call, restarted, pbx());
      const [ufrag, pwd, , setup] = credentials(again.answered.body.toString());
      assert.notEqual(ufrag, first[0]);
      assert.notEqual(pwd, first[1]);
      assert.equal(setup, first[3]);
      assert.equal(mediaLines(again.told)[0], mediaLines(call.invite.body.toString())[0]);
      await hangUp(call);
    });
  });

  describe('before the call is answered', () => {
    it('is answered in the 200 to a PRACK and to an UPDATE; the callee hears of it once it has answered', async () => {
      dial(browserOffer, ['Supported: 100rel']);
      const invite = await office.request('INVITE');
      office.respond(invite, 183, 'Session Progress', { body: pbx() });
      const early = await heard(183, 'INVITE');
      assert.match(early.headers.get('require') ?? '', /100rel/);
      const prack = inDialog(alice, 'PRACK', early, {
        sdp: directed(browserOffer, 'sendonly'),
        headers: [`RAck: ${early.headers.get('rseq') ?? ''} ${early.cseq.number} INVITE`],
      });
      const answeredPrack = await alice.transact(prack);
      assert.equal(answeredPrack.status, 200);
      assert.equal(directionOf(answeredPrack.body.toString()), 'recvonly');
      const update = await alice.transact(
        inDialog(alice, 'UPDATE', early, { sdp: directed(browserOffer, 'inactive') }),
      );
      assert.equal(update.status, 200);
      assert.equal(directionOf(update.body.toString()), 'inactive');
      office.respond(invite, 200, 'OK', { body: pbx() });
      const answered = await heard(200, 'INVITE');
      assert.equal(directionOf(answered.body.toString()), 'inactive');
      acknowledge(alice, answered);
      await office.request('ACK');
      const owed = await office.request('INVITE');
      assert.equal(directionOf(owed.body.toString()), 'inactive');
      office.respond(owed, 200, 'OK', { body: pbx(['a=inactive']) });
      await office.request('ACK');
      await hangUp({ invite, answered });
    });

    it('is answered to the PBX that has answered reliably, and its 2xx needs no SDP', async () => {
      dial(browserOffer);
      const invite = await office.request('INVITE');
      assert.match(invite.headers.get('supported') ?? '', /100rel/);
      const headers = [`Contact: <sip:peer@${here}:${office.port}>`, 'Require: 100rel', 'RSeq: 5'];
      office.respond(invite, 183, 'Session Progress', { headers, body: pbx() });
      const early = await heard(183, 'INVITE');
      office.respond(await office.request('PRACK'), 200, 'OK');
      fromOffice(invite, 'UPDATE', 1, pbxSdp('0 8', ['a=sendonly'], here).replace('4000', '4010'));
      const update = await office.status(200, 'UPDATE');
      assert.deepEqual(codecNames(update.body.toString()), ['PCMU/8000']);
      assert.equal(directionOf(update.body.toString()), 'recvonly');
      fromOffice(invite, 'UPDATE', 2, pbxSdp('8', [], here));
      assert.match(warning(await office.status(488, 'UPDATE')) ?? '', /^305 webtrunk "m=audio \(line 1\)/);
      office.respond(invite, 200, 'OK');
      const answered = await heard(200, 'INVITE');
      assert.equal(answered.body.toString(), early.body.toString());
      acknowledge(alice, answered);
      await office.request('ACK');
      const resumed = await reinvite({ invite, answered }, browserOffer, pbx());
      assert.equal(directionOf(resumed.answered.body.toString()), 'sendrecv');
      await hangUp({ invite, answered });
    });

    it('is refused with 500 while early media is not acknowledged', async () => {
      dial(browserOffer, ['Supported: 100rel']);
      const invite = await office.request('INVITE');
      office.respond(invite, 183, 'Session Progress', { body: pbx() });
      const early = await heard(183, 'INVITE');
      const update = await alice.transact(inDialog(alice, 'UPDATE', early, { sdp: browserOffer }));
      assert.equal(update.status, 500);
      assert.match(update.headers.get('retry-after') ?? '', /^\d+$/);
      office.respond(invite, 486, 'Busy Here');
      await heard(486, 'INVITE');
    });

    it('comes from several forks behind the PBX: the caller has the answer of the one that answers', async () => {
      dial(browserOffer);
      const invite = await office.request('INVITE');
      for (const [toTag, format] of [
        ['one', '8'],
        ['two', '0'],
      ] as const) {
        const since = alice.received.length;
        office.respond(invite, 183, 'Session Progress', { toTag, body: pbxSdp(format, [], here) });
        const early = await heard(183, 'INVITE', since);
        assert.deepEqual(codecNames(early.body.toString()), [format === '8' ? 'PCMA/8000' : 'PCMU/8000']);
      }
      office.respond(invite, 200, 'OK', { toTag: 'one', body: pbxSdp('8', [], here) });
      const answered = await heard(200, 'INVITE');
      assert.deepEqual(codecNames(answered.body.toString()), ['PCMA/8000']);
      acknowledge(alice, answered);
      await office.request('ACK');
      await hangUp({ invite, answered });
    });
  });
});
