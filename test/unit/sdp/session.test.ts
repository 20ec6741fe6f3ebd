import assert from 'node:assert/strict';
import { SipFailure } from '../../../sip/failure.js';
import { sdpLimits } from '../../../sip/sdp/scan.js';
import { parseSession, writeSession } from '../../../sip/sdp/session.js';
import type { MediaSection, SdpSession } from '../../../sip/sdp/description.js';
import { fixture, fixtureNames, pbxSdp } from '../../support/sdp-fixtures.js';

function read(text: string): SdpSession {
  const session = parseSession(text);
  if (session instanceof SipFailure) throw session;
  return session;
}

function firstSection(text: string): MediaSection {
  const section = read(text).media[0];
  assert.ok(section !== undefined);
  return section;
}

const hex = Array<string>(32).fill('AB').join(':');

describe('reading a session description', () => {
  for (const name of fixtureNames()) {
    it(`reads ${name}, and again what was written of it`, () => {
      const session = read(fixture(name));
      const written = writeSession(session);
      assert.equal(writeSession(read(written)), written);
      assert.deepEqual(read(written).media, session.media.map(withoutRtcpAddress));
    });
  }

  it('reads every part of a Chromium offer that decisions rest on', () => {
    const session = read(fixture('audio-offer'));
    assert.deepEqual(session.bundle, ['0']);
    assert.equal(session.origin.sessionId, '6239574075242430367');
    const section = session.media[0];
    assert.equal(section?.protocol, 'UDP/TLS/RTP/SAVPF');
    assert.equal(section?.port, 34_696);
    assert.deepEqual(section?.ice, { ufrag: 'LCSS', pwd: 'tH2DWxQr4dhbPvtxo00qdpuL' });
    assert.equal(section?.setup, 'actpass');
    assert.equal(section?.mid, '0');
    assert.equal(section?.rtcpMux, true);
    assert.equal(section?.fingerprint?.algorithm, 'sha-256');
    assert.equal(section?.candidates.length, 4);
    assert.deepEqual(section?.codecs[0], {
      payloadType: 111,
      name: 'opus',
      clockRate: 48_000,
      channels: 2,
      parameters: 'minptime=10;useinbandfec=1',
    });
    assert.deepEqual(
      section?.codecs.map((codec) => codec.payloadType),
      [111, 63, 9, 0, 8, 13, 110, 126],
    );
  });

  it('takes static payload types without an rtpmap from RFC 3551', () => {
    const { codecs } = firstSection(pbxSdp('0 8 18 96'));
    assert.deepEqual(
      codecs.map((codec) => codec.name),
      ['PCMU', 'PCMA', 'G729'],
    );
  });

  it('inherits address, direction, ICE, fingerprint and setup from the session level', () => {
    const section = firstSection(
      [
        'v=0',
        'o=- 1 1 IN IP4 192.0.2.1',
        's=-',
        'c=IN IP4 192.0.2.9',
        't=0 0',
        'a=sendonly',
        'a=ice-ufrag:abcd',
        'a=ice-pwd:abcdefghijklmnopqrstuv',
        `a=fingerprint:SHA-256 ${hex.toLowerCase()}`,
        'a=setup:passive',
        'm=audio 9 UDP/TLS/RTP/SAVPF 0',
      ].join('\r\n'),
    );
    assert.deepEqual(section.address, { family: 4, host: '192.0.2.9' });
    assert.equal(section.direction, 'sendonly');
    assert.deepEqual(section.ice, { ufrag: 'abcd', pwd: 'abcdefghijklmnopqrstuv' });
    assert.deepEqual(section.fingerprint, { algorithm: 'sha-256', value: hex });
    assert.equal(section.setup, 'passive');
  });

  it('gives a bundled line the transport of the first line of its group', () => {
    const offer = fixture('av-offer').replace(/a=ice-(ufrag|pwd):.*\r\n|a=fingerprint:.*\r\n/g, '');
    const transport = `a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\na=fingerprint:sha-256 ${hex}\r\n`;
    const session = read(offer.replace('a=mid:0\r\n', `a=mid:0\r\n${transport}`));
    assert.deepEqual(session.media[1]?.ice, session.media[0]?.ice);
    assert.deepEqual(session.media[1]?.fingerprint, session.media[0]?.fingerprint);
  });

  it('keeps text that looks like a number as text', () => {
    const sdp = fixture('audio-offer')
      .replace('ice-ufrag:LCSS', 'ice-ufrag:1234')
      .replace('a=mid:0', 'a=mid:007');
    const section = firstSection(sdp);
    assert.equal(section.ice?.ufrag, '1234');
    assert.equal(section.mid, '007');
  });

  it('reads IPv6, a port pair by a=rtcp, and a line end without CR', () => {
    const text = pbxSdp('0', ['a=rtcp:4100 IN IP6 2001:db8::5'], '2001:db8::4').replaceAll('\r\n', '\n');
    const section = firstSection(text);
    assert.deepEqual(section.address, { family: 6, host: '2001:db8::4' });
    assert.deepEqual(section.rtcp, { port: 4_100, address: { family: 6, host: '2001:db8::5' } });
  });

  it('reads a T.38 line without codecs', () => {
    const section = firstSection(pbxSdp('0').replace('m=audio 4000 RTP/AVP 0', 'm=image 4000 udptl t38'));
    assert.equal(section.kind, 'image');
    assert.deepEqual(section.formats, ['t38']);
    assert.deepEqual(section.codecs, []);
  });

  it('passes over ICE credentials and fingerprints that break their grammar', () => {
    const offer = fixture('audio-offer');
    assert.equal(firstSection(offer.replace('ice-ufrag:LCSS', 'ice-ufrag:a"c;')).ice, undefined);
    assert.equal(
      firstSection(offer.replace('ice-pwd:tH2DWxQr4dhbPvtxo00qdpuL', 'ice-pwd:short')).ice,
      undefined,
    );
    for (const weak of ['sha-256 XX', 'sha-256 8D:8D', 'sha-1 8D', 'md5 8D']) {
      assert.equal(firstSection(offer.replace('sha-256 8D', weak)).fingerprint, undefined, weak);
    }
  });

  const good = pbxSdp('0');
  const malformed: readonly (readonly [what: string, text: string, detail: RegExp])[] = [
    ['an empty text', '', /0 o= lines/],
    ['blank lines only', '\r\n\r\n', /0 o= lines/],
    ['another version', good.replace('v=0', 'v=1'), /line 1: not v=0/],
    ['no o=', good.replace(/o=.*\r\n/, ''), /no o= before/],
    ['two o=', good.replace(/(o=.*\r\n)/, '$1$1'), /2 o= lines/],
    ['an o= without an address', good.replace(/o=.*\r\n/, 'o=- 1 1\r\n'), /o= cannot be read/],
    ['a line without =', good.replace('s=call', 'hello'), /line 3: not of the form/],
    ['an empty line inside', good.replace('s=call\r\n', '\r\n'), /line 3: not of the form/],
    ['a NUL', good.replace('s=call', 's=\0'), /line 3: control character/],
    ['a bare CR', good.replace('s=call', 's=a\rm=b'), /line 3: control character/],
    ['a port that is no number', good.replace('4000', 'http'), /m= line 1: not of the form/],
    ['a port beyond 65535', good.replace('4000', '65536'), /m= line 1: port/],
    ['an m= without formats', good.replace('RTP/AVP 0', 'RTP/AVP'), /m= line 1: not of the form/],
    ['too many formats', pbxSdp('0 '.repeat(sdpLimits.maxFormats + 1)), /more than 64 formats/],
    [
      'too many m= lines',
      good + 'm=audio 0 RTP/AVP 0\r\n'.repeat(sdpLimits.maxMediaLines),
      /more than 32 m= lines/,
    ],
    ['too many lines', good + 'a=x\r\n'.repeat(sdpLimits.maxLines), /more than 2000 lines/],
    ['a line too long', good + `a=${'x'.repeat(sdpLimits.maxLineChars)}\r\n`, /longer than 4096 characters/],
    ['a text too long', good + 'a=xxxx\r\n'.repeat(9_000), /longer than 65536 characters/],
  ];
  for (const [what, text, detail] of malformed) {
    it(`refuses ${what}`, () => {
      const refused = parseSession(text);
      assert.ok(refused instanceof SipFailure);
      assert.equal(refused.code, 'media.sdp_malformed');
      assert.equal(refused.status, 400);
      assert.match(refused.detail ?? '', detail);
    });
  }
});

/** We write `a=rtcp` without an address: the one in `c=` holds. */
function withoutRtcpAddress(section: MediaSection): MediaSection {
  if (section.rtcp === undefined) return { ...section, bundleOnly: false };
  return { ...section, rtcp: { port: section.rtcp.port }, bundleOnly: false };
}
