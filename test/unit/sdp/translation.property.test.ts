import assert from 'node:assert/strict';
import fc from 'fast-check';
import { SipFailure } from '../../../sip/failure.js';
import { ownCrypto } from '../../../sip/sdp/crypto.js';
import type {
  LocalTransport,
  MediaSection,
  SdpCodec,
  SdpProfile,
  SdpSession,
} from '../../../sip/sdp/description.js';
import { SdpEnd, type ReceivedDescription } from '../../../sip/sdp/offer-answer.js';
import { offeredStream, offeredVideo } from '../../../sip/sdp/offered-streams.js';
import { parseSession } from '../../../sip/sdp/session.js';
import { fixture, fixtureNames } from '../../support/sdp-fixtures.js';
import { isRefusal, mutated, timed } from '../../support/sdp-mutations.js';

const address = { family: 4, host: '203.0.113.5' } as const;
const fingerprint = Array<string>(32).fill('AB').join(':');
const transports: { readonly [profile in SdpProfile]: LocalTransport } = {
  plain: { profile: 'plain', address, rtpPort: 20_000, rtcpPort: 20_001 },
  webrtc: {
    profile: 'webrtc',
    address,
    port: 20_002,
    ice: { ufrag: 'ours', pwd: 'abcdefghijklmnopqrstuv' },
    fingerprint: { algorithm: 'sha-256', value: fingerprint },
    setup: 'actpass',
  },
};

const profiles = fc.constantFrom<SdpProfile>('webrtc', 'plain');

const capable = (profile: SdpProfile): SdpEnd =>
  new SdpEnd({ profile, address, sessionId: '1', video: ['VP8', 'H264'], srtp: 'optional' });

const profileOf = (text: string): SdpProfile => (text.includes('UDP/TLS/RTP') ? 'webrtc' : 'plain');

const reread = (text: string): SdpSession => {
  const session = parseSession(text);
  if (session instanceof SipFailure) throw session;
  return session;
};

const names = (codecs: readonly SdpCodec[]): readonly string[] =>
  codecs.map((codec) => codec.name.toLowerCase());

/** What holds for whatever we write. */
function assertWellFormed(session: SdpSession): void {
  const mids = session.media.flatMap(({ mid }) => (mid === undefined ? [] : [mid]));
  for (const mid of session.bundle) assert.ok(mids.includes(mid), 'BUNDLE names lines that are there');
  for (const { port, formats, codecs, crypto, protocol } of session.media) {
    if (port === 0) continue;
    assert.deepEqual(
      formats.map(Number),
      codecs.map((codec) => codec.payloadType),
    );
    assert.equal(new Set(formats).size, formats.length, 'a payload type means one thing');
    if (protocol === 'RTP/SAVP') assert.equal(crypto?.length, 1, 'one key line in an answer');
  }
}

function withKeys(transport: LocalTransport, { crypto }: ReceivedDescription): LocalTransport {
  if (crypto === undefined || transport.profile === 'webrtc') return transport;
  const own = ownCrypto(crypto.tag, crypto.suite, (sizeBytes) => Buffer.alloc(sizeBytes, 1));
  return { ...transport, crypto: [own] };
}

/** The offer that an end of profile `to` gets; undefined when it is refused. */
function translate(text: string, from: SdpProfile, to: SdpProfile): string | undefined {
  const [offerer, answerer] = [capable(from), capable(to)];
  const offer = offerer.readOffer(text);
  if (isRefusal(offer)) return undefined;
  const stream = offeredStream(offer, offerer, answerer);
  return isRefusal(stream) ? undefined : answerer.writeOffer(stream, transports[to]).text;
}

describe('any mutation of any captured description', () => {
  it('as an offer gives a translation or a typed failure, soon, and the same one again', () => {
    fc.assert(
      fc.property(mutated, profiles, (text, to) => {
        const [offerer, answerer] = [capable(profileOf(text)), capable(to)];
        const offer = timed(() => offerer.readOffer(text));
        if (isRefusal(offer)) return;
        const stream = offeredStream(offer, offerer, answerer);
        if (isRefusal(stream)) return;
        const pictures = offeredVideo(offer, offerer, answerer);
        const video = pictures === undefined ? undefined : { stream: pictures, transport: transports[to] };
        const sent = timed(() => answerer.writeOffer(stream, transports[to], video));
        assert.equal(answerer.writeOffer(stream, transports[to], video).text, sent.text);
        const written = reread(sent.text);
        assertWellFormed(written);
        assert.deepEqual(names(written.media[0]?.codecs ?? []), names(stream.codecs), 'codecs survive');
        assert.equal(written.media[0]?.direction, stream.direction, 'direction survives');
        assert.equal(written.media.length, video === undefined ? 1 : 2);
      }),
      { numRuns: 3_000 },
    );
  });

  it('as an offer is answered with every line in its place', () => {
    fc.assert(
      fc.property(mutated, fc.boolean(), (text, withVideo) => {
        const from = profileOf(text);
        const offerer = capable(from);
        const offer = offerer.readOffer(text);
        if (isRefusal(offer)) return;
        const stream = offeredStream(offer, offerer, offerer);
        if (isRefusal(stream)) return;
        const pictures = withVideo ? offeredVideo(offer, offerer, offerer) : undefined;
        const transport = withKeys(transports[from], offer);
        const video = pictures === undefined ? undefined : { stream: pictures, transport };
        const answer = (): string => timed(() => offerer.writeAnswer(offer, stream, transport, video));
        const written = reread(answer());
        const kinds = (session: SdpSession): readonly string[] => session.media.map(({ kind }) => kind);
        assert.deepEqual(kinds(written), kinds(offer.session));
        const live = written.media.flatMap(({ port }, index) => (port === 0 ? [] : [index]));
        const expected = video === undefined ? [offer.index] : [offer.index, offer.video?.index ?? -1];
        assert.deepEqual(new Set(live), new Set(expected));
        for (const [index, { mid, formats }] of written.media.entries()) {
          const offered: MediaSection | undefined = offer.session.media[index];
          if (from === 'webrtc') assert.equal(mid, offered?.mid);
          for (const format of formats)
            assert.ok(offered?.formats.includes(format), 'numbers are the offer’s');
        }
        assert.equal(answer(), answer());
      }),
      { numRuns: 2_000 },
    );
  });

  it('translated there and back and there again, changes no more', () => {
    fc.assert(
      fc.property(mutated, profiles, (text, to) => {
        const once = translate(text, profileOf(text), to);
        if (once === undefined) return;
        const twice = translate(once, to, to);
        assert.ok(twice !== undefined, 'what we write can be read');
        assert.equal(translate(twice, to, to), twice);
        const [first, second] = [reread(once), reread(twice)];
        assert.deepEqual(second.media[0]?.codecs, first.media[0]?.codecs);
        assert.equal(second.media[0]?.direction, first.media[0]?.direction);
      }),
      { numRuns: 1_500 },
    );
  });

  it('as an answer gives a translation or a typed failure, soon', () => {
    const offers = fixtureNames().filter((name) => name.startsWith('audio-offer'));
    fc.assert(
      fc.property(fc.constantFrom(...offers), mutated, (name, text) => {
        const [offerer, answerer] = [
          new SdpEnd({ profile: 'webrtc', address, sessionId: '1' }),
          new SdpEnd({ profile: 'plain', address, sessionId: '2' }),
        ];
        const offer = offerer.readOffer(fixture(name));
        assert.ok(!(offer instanceof SipFailure));
        const stream = offeredStream(offer, offerer, answerer);
        assert.ok(!(stream instanceof SipFailure));
        const sent = answerer.writeOffer(stream, transports.plain);
        const answer = timed(() =>
          answerer.readAnswer(text.replaceAll('UDP/TLS/RTP/SAVPF', 'RTP/AVP'), sent, 'callee'),
        );
        if (isRefusal(answer)) return;
        const reply = timed(() => offerer.writeAnswer(offer, answer.stream, transports.webrtc));
        assert.ok(!(parseSession(reply) instanceof SipFailure));
        for (const codec of answer.stream.codecs) assert.ok(codec.payloadType < 128);
      }),
      { numRuns: 2_000 },
    );
  });

  it('of noise is refused', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2_000 }), (text) => {
        assert.ok(
          isRefusal(timed(() => new SdpEnd({ profile: 'plain', address, sessionId: '1' }).readOffer(text))),
        );
      }),
    );
  });

  it('that is built to be slow is not', () => {
    const head = 'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n';
    const lines = [
      `a=candidate:${'1 '.repeat(2_000)}`,
      `a=rtpmap:0 ${'x'.repeat(4_000)}`,
      `a=fmtp:0 ${' '.repeat(4_000)}`,
      `a=ptime:${'1.'.repeat(2_000)}`,
      `a=group:BUNDLE ${'0 '.repeat(2_000)}`,
      `a=fingerprint:${'A:'.repeat(2_000)}`,
    ];
    for (const line of lines) {
      const text = head + `${line.slice(0, 4_090)}\r\n`.repeat(15);
      timed(() => parseSession(text));
    }
  });
});
