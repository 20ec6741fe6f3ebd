import assert from 'node:assert/strict';
import { idle } from '../../support/idle.js';
import { attribute } from '../../support/media-session.js';
import { codecNames, mediaLines } from '../../support/sdp-ends.js';
import { fixture, pbxSdp } from '../../support/sdp-fixtures.js';
import { browserAnswer, browserOffer, here, pbx, SdpRig, warning } from '../../support/sdp-rig.js';
import { acknowledge, answer, nextRequest } from '../../support/ws-call.js';

describe('SDP through the whole gateway with the relay', () => {
  let rig: SdpRig;

  beforeEach(async () => {
    rig = await SdpRig.open();
  });

  afterEach(() => rig.close());

  describe('that cannot be agreed on', () => {
    it('is refused to the browser with 488 and the line', async () => {
      const opusOnly = browserOffer.replace(/^(m=audio \d+ \S+) .*\r$/m, '$1 111\r');
      rig.dial(opusOnly);
      const refused = await rig.heard(488, 'INVITE');
      assert.match(
        warning(refused) ?? '',
        /^305 webtrunk "m=audio \(line 1\): no shared codec, given opus, taken PCMU PCMA"$/,
      );
    });

    it('is refused to the browser when the PBX answers with what was not offered; the PBX hears BYE', async () => {
      rig.dial(browserOffer);
      const invite = await rig.office.request('INVITE');
      rig.office.respond(invite, 200, 'OK', { body: pbxSdp('18', [], here) });
      await rig.office.request('ACK');
      rig.office.respond(await rig.office.request('BYE'), 200, 'OK');
      const refused = await rig.heard(488, 'INVITE');
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
        rig.callAlice(body);
        const refused = await rig.office.status(488, 'INVITE');
        assert.match(warning(refused) ?? '', expected);
        await idle(rig.gateway);
      });
    }
  });

  describe('offered late', () => {
    it('by the PBX in its 200: the browser’s ACK answers', async () => {
      rig.dial('');
      const invite = await rig.office.request('INVITE');
      assert.equal(invite.body.length, 0);
      rig.office.respond(invite, 200, 'OK', { body: pbx() });
      const answered = await rig.heard(200, 'INVITE');
      const offered = answered.body.toString();
      assert.deepEqual(codecNames(offered), ['PCMU/8000']);
      assert.equal(attribute(offered, 'setup'), 'actpass');
      acknowledge(rig.alice, answered, browserAnswer);
      const ack = await rig.office.request('ACK');
      assert.match(mediaLines(ack.body.toString())[0] ?? '', /^audio \d+ RTP\/AVP 0$/);
      await rig.hangUp({ invite, answered });
    });

    it('by the browser in its 200: the PBX’s ACK answers', async () => {
      const send = rig.callAlice('');
      const invite = await nextRequest(rig.alice, 'INVITE');
      assert.equal(invite.body.length, 0);
      answer(rig.alice, invite, 200, { sdp: browserOffer });
      const ok = await rig.office.status(200, 'INVITE');
      assert.match(mediaLines(ok.body.toString())[0] ?? '', /^audio \d+ RTP\/AVP 0 8 126$/);
      const to = ok.headers.get('To') ?? '';
      send('ACK', to, 1, pbx());
      const ack = await nextRequest(rig.alice, 'ACK');
      assert.match(mediaLines(ack.body.toString())[0] ?? '', /^audio \d+ UDP\/TLS\/RTP\/SAVPF 0$/);
      assert.equal(attribute(ack.body.toString(), 'setup'), 'passive');
      send('BYE', to, 2);
      answer(rig.alice, await nextRequest(rig.alice, 'BYE'), 200);
      await rig.office.status(200, 'BYE');
      await idle(rig.gateway);
    });
  });
});
