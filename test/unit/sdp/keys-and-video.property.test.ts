import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ownCrypto } from '../../../sip/sdp/crypto.js';
import type { LocalTransport, SdpCodec, SdpCrypto } from '../../../sip/sdp/description.js';
import { offeredStream, offeredVideo } from '../../../sip/sdp/offered-streams.js';
import { parseSession } from '../../../sip/sdp/session.js';
import { ourKey, ourTransports, sdpEnd, unrefused } from '../../support/sdp-ends.js';
import { fixture } from '../../support/sdp-fixtures.js';
import { isRefusal, mutated, timed } from '../../support/sdp-mutations.js';

const suites = ['AES_CM_128_HMAC_SHA1_80', 'AES_CM_128_HMAC_SHA1_32'];
const ourKeys: readonly SdpCrypto[] = suites.map((suite, index) =>
  ownCrypto(index + 1, suite, (sizeBytes) => Buffer.alloc(sizeBytes, 1)),
);
const keyed: LocalTransport = { ...ourTransports.plain, crypto: ourKeys };
const video = ['VP8', 'H264'];
const srtpUse = fc.constantFrom('optional' as const, 'required' as const);

const namesOf = (codecs: readonly SdpCodec[]): readonly string[] =>
  codecs.map(({ name }) => name.toLowerCase());
const keysIn = (text: string): readonly string[] =>
  [...text.matchAll(/inline:([^|\s]+)/g)].map(([, key = '']) => key);

describe('any mutation of any captured description, with keys and video', () => {
  it('as an offer with keys is answered with the tag and suite of one of its lines and our key alone', () => {
    let answered = 0;
    fc.assert(
      fc.property(mutated, srtpUse, (text, srtp) => {
        const pbx = sdpEnd('plain', { srtp, suites, video });
        const offer = timed(() => pbx.readOffer(text));
        if (isRefusal(offer)) return;
        if (srtp === 'required') assert.ok(offer.crypto !== undefined, 'nothing goes in clear');
        const stream = offeredStream(offer, pbx, pbx);
        if (isRefusal(stream) || offer.crypto === undefined) return;
        const { tag, suite } = offer.crypto;
        assert.ok(offer.section.crypto?.some((line) => line.tag === tag && line.suite === suite));
        assert.ok(suites.includes(suite));
        const own = ownCrypto(tag, suite, (sizeBytes) => Buffer.alloc(sizeBytes, 1));
        const answer = timed(() => pbx.writeAnswer(offer, stream, { ...ourTransports.plain, crypto: [own] }));
        assert.deepEqual(keysIn(answer), [ourKey]);
        assert.match(answer, new RegExp(`^a=crypto:${tag} ${suite} `, 'm'));
        answered += 1;
      }),
      { numRuns: 2_000 },
    );
    assert.ok(answered > 50, `${answered} with keys`);
  });

  it('as an offer with keys tells the browser none of them', () => {
    fc.assert(
      fc.property(mutated, (text) => {
        const [pbx, browser] = [
          sdpEnd('plain', { srtp: 'optional', suites, video }),
          sdpEnd('webrtc', { video }),
        ];
        const offer = pbx.readOffer(text);
        if (isRefusal(offer)) return;
        const stream = offeredStream(offer, pbx, browser);
        if (isRefusal(stream)) return;
        assert.doesNotMatch(browser.writeOffer(stream, ourTransports.webrtc).text, /crypto|inline:/);
      }),
      { numRuns: 1_000 },
    );
  });

  it('as an answer with keys and video names one of ours, and no codec that was not offered', () => {
    let [withKeys, withVideo] = [0, 0];
    const names = fc.constantFrom('av-offer', 'add-video-offer', 'firefox-offer', 'safari-offer');
    fc.assert(
      fc.property(names, mutated, srtpUse, (name, text, srtp) => {
        const [browser, pbx] = [sdpEnd('webrtc', { video }), sdpEnd('plain', { srtp, suites, video })];
        const offer = unrefused(browser.readOffer(fixture(name)));
        const stream = unrefused(offeredStream(offer, browser, pbx));
        const pictures = offeredVideo(offer, browser, pbx);
        const videoToWrite = pictures === undefined ? undefined : { stream: pictures, transport: keyed };
        const sent = pbx.writeOffer(stream, keyed, videoToWrite);
        const answer = timed(() => pbx.readAnswer(text, sent, 'callee'));
        if (isRefusal(answer)) return;
        for (const line of [answer, ...(answer.video === undefined ? [] : [answer.video])]) {
          if (srtp === 'required') assert.ok(line.crypto !== undefined, 'nothing goes in clear');
          if (line.crypto === undefined) continue;
          const { tag, suite } = line.crypto;
          assert.ok(ourKeys.some((own) => own.tag === tag && own.suite === suite));
          withKeys += 1;
        }
        const offeredNames = namesOf(sent.stream.codecs);
        for (const codec of namesOf(answer.stream.codecs)) assert.ok(offeredNames.includes(codec), codec);
        if (answer.video === undefined) return;
        withVideo += 1;
        assert.ok(sent.video !== undefined, 'video that was offered');
        for (const codec of namesOf(answer.video.stream.codecs))
          assert.ok(namesOf(sent.video.stream.codecs).includes(codec), codec);
        const transport: LocalTransport = { ...ourTransports.webrtc, setup: 'passive' };
        const reply = timed(() =>
          browser.writeAnswer(offer, answer.stream, transport, {
            stream: answer.video?.stream ?? answer.stream,
            transport,
          }),
        );
        const written = unrefused(parseSession(reply));
        const numbers = written.media.filter(({ port }) => port > 0).flatMap(({ formats }) => formats);
        assert.equal(new Set(numbers).size, numbers.length, 'on one transport a number means one thing');
        assert.doesNotMatch(reply, /crypto|inline:/);
      }),
      { numRuns: 4_000 },
    );
    assert.ok(withKeys > 20 && withVideo > 0, `${withKeys} with keys, ${withVideo} with video`);
  });
});
