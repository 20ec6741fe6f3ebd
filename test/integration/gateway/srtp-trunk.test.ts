import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cdrSchema } from '../../../gateway/cdr/cdr-schema.js';
import type { MediaEngineConfig } from '../../../gateway/config/config.js';
import { messageTrace, type MessageTrace } from '../../../sip/trace.js';
import { ipTrunk, startGateway } from '../../support/gateway.js';
import { until } from '../../support/media-session.js';
import { dialOffice, signInAlice } from '../../support/office-gateway.js';
import { requirePeer } from '../../support/peers.js';
import { Rtpengine } from '../../support/rtpengine.js';
import { sdp, UdpPeer } from '../../support/sip-peer.js';
import { SrtpKey } from '../../support/srtp.js';
import { ToneCall } from '../../support/tone-call.js';
import type { TonePhone } from '../../support/tone-phone.js';
import { WebrtcPeer } from '../../support/webrtc-peer.js';

describe('SRTP with keys in SDP towards a trunk', function () {
  this.timeout(20_000);
  let server: Rtpengine;

  before(async function () {
    server = await Rtpengine.start(requirePeer(this, 'rtpengine'));
  });

  after(() => server?.stop());

  afterEach(async () => assert.equal(await server.calls(), 0));

  const media = (): Extract<MediaEngineConfig, { engine: 'rtpengine' }> => ({
    engine: 'rtpengine',
    instances: [{ address: server.address, weight: 1 }],
  });

  it('that answers without a key ends the call: the browser hears why, the PBX hears BYE', async () => {
    const [pbx, browser] = [await UdpPeer.open(0), new WebrtcPeer()];
    const srtp = { codecs: ['PCMU'], ptimeMs: undefined, srtp: 'required' as const };
    const gateway = await startGateway({
      trunks: [ipTrunk('office', `sip:127.0.0.1:${pbx.port};transport=udp`, { media: srtp })],
      routes: [
        { name: 'all', match: /^600$/, fromTrunk: undefined, to: { kind: 'trunks', trunks: ['office'] } },
      ],
      media: media(),
    });
    pbx.aim(Number(gateway.sipAddress.split(':').at(-1)));
    const alice = await signInAlice(gateway.pageUrl);
    const dialled = dialOffice(alice, await browser.offer());
    const invite = await pbx.request('INVITE');
    assert.match(invite.body.toString(), /^m=audio \d+ RTP\/SAVP /m);
    pbx.respond(invite, 200, 'OK', { body: sdp(6_000).replace('RTP/AVP', 'RTP/SAVP') });
    const refused = await dialled;
    assert.equal(refused.status, 488);
    assert.match(refused.headers.get('warning') ?? '', /^302 webtrunk "m=audio \(line 1\): .*crypto/);
    pbx.respond(await pbx.request('BYE'), 200, 'OK');
    const ended = () => gateway.lines.filter(({ event }) => event === 'call.ended');
    await until(() => ended().length > 0);
    assert.equal(ended()[0]?.['code'], 'media.not_acceptable');
    browser.close();
    await alice.close();
    await gateway.close();
    await pbx.close();
  });

  describe('that has agreed on keys', () => {
    let folder: string;
    let cdrFile: string;
    let tones: ToneCall;
    let ours: SrtpKey;
    let theirs: SrtpKey;
    const traced: string[] = [];
    const note = (message: unknown): void => {
      traced.push((message as MessageTrace).message);
    };

    const keyed = (phone: TonePhone, key: SrtpKey): string =>
      phone.sdp('sendrecv', [key.line()]).replace('RTP/AVP', 'RTP/SAVP');

    /** Both hear each other; the PBX has chosen `ours`. */
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'webtrunk-'));
      cdrFile = join(folder, 'cdr.ndjson');
      ours = new SrtpKey();
      traced.length = 0;
      messageTrace.subscribe(note);
      tones = await ToneCall.open({
        media: media(),
        srtp: 'required',
        cdrFile,
        describe: (phone, offer) => {
          theirs = SrtpKey.in(offer);
          phone.rtp.secure(ours, theirs);
          return keyed(phone, ours);
        },
      });
      await tones.bothHear();
    });

    afterEach(async () => {
      messageTrace.unsubscribe(note);
      await tones.close();
      await rm(folder, { recursive: true });
    });

    it('drops and counts what the PBX protects with another key', async () => {
      const { call, phone, browser } = tones;
      phone.rtp.secure(new SrtpKey(), theirs);
      await tones.phoneHears();
      const heard = browser.peer.packets.length;
      await tones.phoneHears();
      assert.equal(browser.peer.packets.length, heard);
      await call.hangUp();
      await call.gateway.close();
      const { media: figures } = cdrSchema.parse(JSON.parse(await readFile(cdrFile, 'utf8')));
      assert.ok((figures.at(-1)?.packetsDropped ?? 0) > 5, JSON.stringify(figures));
    });

    it('keeps its keys when the browser starts its media anew', async () => {
      const offered = await tones.browserRestarts(keyed(tones.phone, ours));
      assert.equal(SrtpKey.in(offered).inline, theirs.inline);
      await tones.bothHear();
      assert.equal(tones.phone.rtp.refused, 0);
    });

    it('takes the new key of a re-INVITE', async () => {
      const next = new SrtpKey();
      const answered = await tones.pbxChanges(keyed(tones.phone, next));
      tones.phone.rtp.secure(next, SrtpKey.in(answered));
      await tones.bothHear();
    });

    it('shows no key in the log or to whoever traces messages', async () => {
      assert.match(traced.join(''), /^a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:\[secret\]\r$/m);
      for (const { inline } of [ours, theirs]) {
        assert.ok(!traced.join('').includes(inline));
        assert.ok(!JSON.stringify(tones.call.gateway.lines).includes(inline));
      }
    });
  });
});
