import assert from 'node:assert/strict';
import { SipFailure } from '../../../sip/failure.js';
import type { LocalTransport, SdpProfile } from '../../../sip/sdp/description.js';
import {
  SdpEnd,
  type ReceivedDescription,
  type SdpEndOptions,
  type SentOffer,
} from '../../../sip/sdp/offer-answer.js';
import { offeredStream } from '../../../sip/sdp/offered-streams.js';
import { attribute, audioPort, originVersion } from '../../support/media-session.js';
import { fixture, pbxSdp } from '../../support/sdp-fixtures.js';

const address = { family: 4, host: '203.0.113.5' } as const;
const fingerprint = Array<string>(32).fill('AB').join(':');
const plainTransport: LocalTransport = { profile: 'plain', address, rtpPort: 20_000, rtcpPort: 20_001 };
const webrtcTransport: LocalTransport = {
  profile: 'webrtc',
  address,
  port: 20_002,
  ice: { ufrag: 'ours', pwd: 'abcdefghijklmnopqrstuv' },
  fingerprint: { algorithm: 'sha-256', value: fingerprint },
  setup: 'passive',
};

const end = (profile: SdpProfile, options: Partial<SdpEndOptions> = {}): SdpEnd =>
  new SdpEnd({ profile, address, sessionId: '4711', ...options });

const ok = <T>(result: T | SipFailure): T => {
  assert.ok(!(result instanceof SipFailure), String(result));
  return result;
};

const refused = (result: unknown, code: string, warning?: RegExp): void => {
  assert.ok(result instanceof SipFailure, 'no failure');
  assert.equal(result.code, code);
  if (warning !== undefined) assert.match(new Map(result.headers).get('Warning') ?? '', warning);
};

/** Both ends of a call, translating as a media engine does. */
class Pair {
  constructor(
    readonly offerer: SdpEnd,
    readonly answerer: SdpEnd,
  ) {}

  offer(text: string): { received: ReceivedDescription; sent: SentOffer } {
    const received = ok(this.offerer.readOffer(text));
    const stream = ok(offeredStream(received, this.offerer, this.answerer));
    return { received, sent: this.answerer.writeOffer(stream, transportOf(this.answerer, 'actpass')) };
  }

  /** The reply to the offerer. */
  answer({ received, sent }: { received: ReceivedDescription; sent: SentOffer }, text: string): string {
    const answer = ok(this.answerer.readAnswer(text, sent, 'callee'));
    const reply = this.offerer.writeAnswer(received, answer.stream, transportOf(this.offerer, 'passive'));
    this.offerer.agreeReceived(received, answer.stream.codecs);
    this.answerer.agreeSent(sent);
    return reply;
  }
}

const transportOf = (sdpEnd: SdpEnd, setup: 'actpass' | 'passive'): LocalTransport =>
  sdpEnd.profile === 'plain' ? plainTransport : { ...webrtcTransport, setup };

const events = ['a=rtpmap:101 telephone-event/8000', 'a=fmtp:101 0-15'];

describe('an offer from a browser', () => {
  it('becomes plain RTP with our address and nothing of WebRTC', () => {
    const pair = new Pair(end('webrtc'), end('plain', { codecs: ['opus', 'PCMU', 'PCMA'] }));
    assert.equal(
      pair.offer(fixture('audio-offer')).sent.text,
      [
        'v=0',
        'o=- 4711 1 IN IP4 203.0.113.5',
        's=-',
        'c=IN IP4 203.0.113.5',
        't=0 0',
        'm=audio 20000 RTP/AVP 111 0 8 110 126',
        'a=rtpmap:111 opus/48000/2',
        'a=rtpmap:0 PCMU/8000',
        'a=rtpmap:8 PCMA/8000',
        'a=rtpmap:110 telephone-event/48000',
        'a=rtpmap:126 telephone-event/8000',
        'a=fmtp:111 minptime=10;useinbandfec=1',
        'a=fmtp:110 0-16',
        'a=fmtp:126 0-16',
        'a=ptime:20',
        'a=sendrecv',
        '',
      ].join('\r\n'),
    );
  });

  it('gets an answer with its own payload types, our ICE and DTLS, and its mid', () => {
    const pair = new Pair(end('webrtc'), end('plain', { codecs: ['PCMU'] }));
    const offer = pair.offer(fixture('audio-offer'));
    assert.equal(
      pair.answer(offer, pbxSdp('0 101', [...events, 'a=ptime:30', 'a=ssrc:1 cname:pbx', 'a=label:1'])),
      [
        'v=0',
        'o=- 4711 1 IN IP4 203.0.113.5',
        's=-',
        't=0 0',
        'a=group:BUNDLE 0',
        'm=audio 20002 UDP/TLS/RTP/SAVPF 0 126',
        'c=IN IP4 203.0.113.5',
        'a=rtpmap:0 PCMU/8000',
        'a=rtpmap:126 telephone-event/8000',
        'a=fmtp:126 0-15',
        'a=setup:passive',
        'a=mid:0',
        'a=ptime:30',
        'a=sendrecv',
        'a=ice-ufrag:ours',
        'a=ice-pwd:abcdefghijklmnopqrstuv',
        `a=fingerprint:sha-256 ${fingerprint}`,
        'a=candidate:1 1 UDP 2130706431 203.0.113.5 20002 typ host',
        'a=end-of-candidates',
        'a=rtcp-mux',
        '',
      ].join('\r\n'),
    );
  });

  for (const name of [
    'audio-offer-mdns',
    'audio-offer.trickle',
    'audio-offer-maxbundle',
    'icerestart-offer',
  ]) {
    it(`is taken as ${name} has it`, () => {
      const pair = new Pair(end('webrtc'), end('plain'));
      assert.match(pair.offer(fixture(name)).sent.text, /^m=audio 20000 RTP\/AVP 111 9 0 8 110 126\r$/m);
    });
  }

  it('keeps video and data lines in place with port 0, in the answer and in every later offer', () => {
    const pair = new Pair(end('webrtc'), end('plain', { codecs: ['PCMU'] }));
    const offered = fixture('av-offer');
    const answer = pair.answer(pair.offer(offered), pbxSdp('0'));
    assert.deepEqual(lines(answer), [
      'audio 20002 UDP/TLS/RTP/SAVPF 0',
      `video 0 UDP/TLS/RTP/SAVPF ${videoFormats(offered)}`,
    ]);
    assert.match(answer, /^a=group:BUNDLE 0\r$/m);
    assert.match(answer, /^m=video[^]*a=mid:1\r\na=inactive\r\n$/m);
    const back = new Pair(pair.answerer, pair.offerer).offer(pbxSdp('0', ['a=sendonly'])).sent.text;
    assert.deepEqual(lines(back), lines(answer));
    assert.equal(attribute(back, 'mid'), '0');
  });

  it('is answered on its audio line wherever that stands', () => {
    const pair = new Pair(end('webrtc'), end('plain', { codecs: ['PCMU'] }));
    const [head = '', audio = '', data = ''] = fixture('audio-data-offer').split(/(?=^m=)/m);
    const answer = pair.answer(pair.offer(head + data + audio), pbxSdp('0'));
    assert.deepEqual(lines(answer), [
      'application 0 UDP/DTLS/SCTP webrtc-datachannel',
      'audio 20002 UDP/TLS/RTP/SAVPF 0',
    ]);
    assert.match(answer, /^a=group:BUNDLE 0\r$/m);
  });

  it('without BUNDLE and mid gets an answer without them', () => {
    const pair = new Pair(end('webrtc'), end('plain'));
    const offer = fixture('audio-offer').replace(/a=(group|mid):.*\r\n/g, '');
    const answer = pair.answer(pair.offer(offer), pbxSdp('0'));
    assert.doesNotMatch(answer, /a=(group|mid):/);
  });

  it('to an end with another packet time asks for that', () => {
    const pair = new Pair(end('webrtc'), end('plain', { ptimeMs: 30 }));
    assert.equal(attribute(pair.offer(fixture('audio-offer')).sent.text, 'ptime'), '30');
  });

  it('that only receives is passed on as that', () => {
    const pair = new Pair(end('webrtc'), end('plain'));
    assert.match(pair.offer(fixture('recvonly-audio-offer')).sent.text, /^a=recvonly\r$/m);
  });
});

describe('an offer from a PBX', () => {
  it('becomes WebRTC with its own payload types, mid and BUNDLE', () => {
    const pair = new Pair(end('plain'), end('webrtc'));
    const { text } = pair.offer(fixture('baresip-offer-plain')).sent;
    assert.deepEqual(lines(text), ['audio 20002 UDP/TLS/RTP/SAVPF 0 8 101']);
    assert.equal(attribute(text, 'setup'), 'actpass');
    assert.equal(attribute(text, 'group'), 'BUNDLE 0');
    assert.equal(attribute(text, 'fmtp'), '101 0-15');
    assert.doesNotMatch(text, /a=(label|tool|ssrc|crypto|rtcp):/);
  });

  it('gets the answer of Chromium as plain RTP', () => {
    const pair = new Pair(end('plain'), end('webrtc'));
    const offer = pair.offer(pbxSdp('0 101', events));
    const answer = pair.answer(offer, fixture('chromium-answer-to-g711-pbx-offer'));
    assert.deepEqual(lines(answer), ['audio 20000 RTP/AVP 0 101']);
    assert.doesNotMatch(answer, /a=(ice|candidate|fingerprint|mid|group|msid|setup)/);
  });

  it('with RTP/AVP and crypto beside it is answered as plain RTP/AVP', () => {
    const pair = new Pair(end('plain'), end('webrtc'));
    const answer = pair.answer(pair.offer(fixture('baresip-offer-srtp')), browserAnswer('0'));
    assert.deepEqual(lines(answer), ['audio 20000 RTP/AVP 0']);
  });

  it('keeps its T.38 line in place with port 0', () => {
    const pair = new Pair(end('plain'), end('webrtc'));
    const offer = `${pbxSdp('0')}m=image 4002 udptl t38\r\na=T38FaxVersion:0\r\n`;
    const answer = pair.answer(pair.offer(offer), browserAnswer('0'));
    assert.deepEqual(lines(answer), ['audio 20000 RTP/AVP 0', 'image 0 udptl t38']);
  });
});

describe('o=', () => {
  it('has our own id for each end, and a version that rises only when the description changed', () => {
    const pair = new Pair(end('webrtc'), end('plain', { codecs: ['PCMU'] }));
    const first = pair.offer(fixture('audio-offer'));
    pair.answer(first, pbxSdp('0'));
    const again = pair.offer(fixture('icerestart-offer'));
    assert.equal(again.sent.text, first.sent.text);
    const hold = pair.offer(fixture('hold-sendonly-offer'));
    assert.equal(originVersion(hold.sent.text), originVersion(first.sent.text) + 1);
    const resume = pair.offer(fixture('resume-sendrecv-offer'));
    assert.equal(originVersion(resume.sent.text), originVersion(first.sent.text) + 2);
    assert.match(resume.sent.text, /^o=- 4711 3 IN IP4 203\.0\.113\.5\r$/m);
  });
});

describe('hold', () => {
  const held: readonly (readonly [
    what: string,
    offer: string,
    answer: string,
    offered: string,
    replied: string,
  ])[] = [
    ['sendonly', fixture('hold-sendonly-offer'), 'recvonly', 'sendonly', 'recvonly'],
    ['inactive', fixture('hold-inactive-offer'), 'inactive', 'inactive', 'inactive'],
    [
      'sendonly, with a PBX that answers as if nothing was',
      fixture('hold-sendonly-offer'),
      'sendrecv',
      'sendonly',
      'recvonly',
    ],
  ];
  for (const [what, offer, answer, offered, replied] of held) {
    it(`of a browser passes as ${what}`, () => {
      const pair = new Pair(end('webrtc'), end('plain'));
      pair.answer(pair.offer(fixture('audio-offer')), pbxSdp('0'));
      const hold = pair.offer(offer);
      assert.match(hold.sent.text, new RegExp(`^a=${offered}\\r$`, 'm'));
      assert.match(pair.answer(hold, pbxSdp('0', [`a=${answer}`])), new RegExp(`^a=${replied}\\r$`, 'm'));
    });
  }

  it('of a PBX by c=0.0.0.0 passes as sendonly, and our address in the reply stays real', () => {
    const pair = new Pair(end('plain'), end('webrtc'));
    const hold = pair.offer(pbxSdp('0', [], '0.0.0.0'));
    assert.match(hold.sent.text, /^a=sendonly\r$/m);
    const reply = pair.answer(hold, browserAnswer('0').replace('a=sendrecv', 'a=recvonly'));
    assert.match(reply, /^c=IN IP4 203\.0\.113\.5\r$/m);
    assert.match(reply, /^a=recvonly\r$/m);
  });
});

describe('a re-offer', () => {
  it('that moves the audio to a new line is followed there', () => {
    const pair = new Pair(end('webrtc'), end('plain', { codecs: ['PCMU'] }));
    pair.answer(pair.offer(fixture('audio-offer')), pbxSdp('0'));
    const [head = '', audio = ''] = fixture('audio-offer').split(/(?=^m=)/m);
    const stopped = audio.replace(/^m=audio \d+/, 'm=audio 0');
    const second = audio.replace('a=mid:0', 'a=mid:1');
    const moved = pair.offer(head.replace('BUNDLE 0', 'BUNDLE 1') + stopped + second);
    assert.equal(moved.received.index, 1);
    const answer = pair.answer(moved, pbxSdp('0'));
    assert.deepEqual(
      lines(answer).map((line) => line.split(' ', 2).join(' ')),
      ['audio 0', 'audio 20002'],
    );
    const back = new Pair(pair.answerer, pair.offerer).offer(pbxSdp('0')).sent;
    assert.equal(back.index, 1);
    assert.deepEqual(lines(back.text), lines(answer));
  });

  it('of a second audio line keeps the one in use', () => {
    const pair = new Pair(end('webrtc'), end('plain', { codecs: ['PCMU'] }));
    const [head = '', audio = ''] = fixture('audio-offer').split(/(?=^m=)/m);
    const stopped = audio.replace(/^m=audio \d+/, 'm=audio 0');
    pair.answer(pair.offer(head + stopped + audio), pbxSdp('0'));
    const both = pair.offer(head + audio + audio);
    assert.equal(both.received.index, 1);
  });

  it('keeps the numbers that an end gave its codecs', () => {
    const pair = new Pair(end('plain'), end('plain'));
    const opus = (number: number): string => pbxSdp(`${number}`, [`a=rtpmap:${number} opus/48000/2`]);
    pair.answer(pair.offer(opus(96)), opus(96));
    const back = new Pair(pair.answerer, pair.offerer);
    assert.deepEqual(lines(back.offer(opus(120)).sent.text), ['audio 20000 RTP/AVP 96']);
  });
});

describe('what cannot be used', () => {
  const offers: readonly (readonly [what: string, profile: SdpProfile, text: string, warning: RegExp])[] = [
    [
      'an offer of data alone',
      'webrtc',
      fixture('data-offer'),
      /^304 webtrunk "m=application \(line 1\): no audio/,
    ],
    ['an offer without m=', 'plain', pbxSdp('0').replace(/m=[^]*/, ''), /^304 webtrunk "no audio/],
    [
      'an audio line with port 0',
      'plain',
      pbxSdp('0').replace('4000', '0'),
      /^304 webtrunk "m=audio \(line 1\)/,
    ],
    [
      'SDES from a PBX',
      'plain',
      fixture('baresip-offer-srtp-mand'),
      /^302 .*transport RTP\/SAVP is not taken/,
    ],
    ['WebRTC from a PBX', 'plain', fixture('audio-offer'), /^302 .*UDP\/TLS\/RTP\/SAVPF is not taken/],
    ['plain RTP from a browser', 'webrtc', fixture('baresip-offer-plain'), /^302 .*RTP\/AVP is not taken/],
    [
      'a browser without a fingerprint',
      'webrtc',
      without('audio-offer', 'fingerprint'),
      /^302 .*no usable a=fingerprint/,
    ],
    ['a browser without ICE', 'webrtc', without('audio-offer', 'ice-ufrag'), /^302 .*no usable a=ice-ufrag/],
    [
      'a browser without rtcp-mux',
      'webrtc',
      fixture('audio-offer').replace('a=rtcp-mux\r\n', ''),
      /^302 .*rtcp-mux/,
    ],
    [
      'a browser that holds DTLS back',
      'webrtc',
      fixture('audio-offer').replace('actpass', 'holdconn'),
      /^302 .*holdconn/,
    ],
    ['another address family', 'plain', pbxSdp('0', [], '2001:db8::1'), /^301 .*not an IPv4 address/],
    ['a host name', 'plain', pbxSdp('0', [], 'pbx.example.com'), /^301 .*not an IPv4 address/],
    ['no address', 'plain', pbxSdp('0').replace(/c=.*\r\n/, ''), /^301 .*no c= line/],
    ['multicast', 'plain', pbxSdp('0', [], '224.2.0.1'), /^330 .*multicast/],
  ];
  for (const [what, profile, text, warning] of offers) {
    it(`${what} is refused with 488 and a Warning`, () => {
      const result = end(profile).readOffer(text);
      refused(result, 'media.not_acceptable', warning);
      assert.equal((result as SipFailure).status, 488);
    });
  }

  it('an offer without a shared codec is refused with the line, what was given and what is taken', () => {
    const browser = end('webrtc');
    const offer = ok(browser.readOffer(fixture('audio-g711-prefs-offer')));
    const result = offeredStream(offer, browser, end('plain', { codecs: ['G729', 'opus'] }));
    const warning =
      /^305 webtrunk "m=audio \(line 1\): no shared codec, given PCMU PCMA telephone-event telephone-event, taken G729 opus"$/;
    refused(result, 'media.not_acceptable', warning);
  });

  const answers: readonly (readonly [what: string, text: string, code: string, warning?: RegExp])[] = [
    ['that cannot be read', 'v=0', 'media.sdp_malformed'],
    ['without the line', pbxSdp('0').replace(/m=[^]*/, ''), 'media.sdp_malformed'],
    ['with another kind of line', pbxSdp('0').replace('m=audio', 'm=video'), 'media.sdp_malformed'],
    [
      'that refuses the line',
      pbxSdp('0').replace('4000', '0'),
      'media.not_acceptable',
      /^304 .*\(line 1\): refused/,
    ],
    [
      'with a codec that was not offered',
      pbxSdp('18'),
      'media.not_acceptable',
      /^305 .*given G729, taken PCMU/,
    ],
    [
      'with telephone-events alone',
      pbxSdp('126', ['a=rtpmap:126 telephone-event/8000']),
      'media.not_acceptable',
      /^305/,
    ],
    ['by SDES', pbxSdp('0').replace('RTP/AVP', 'RTP/SAVP'), 'media.not_acceptable', /^302/],
  ];
  for (const [what, text, code, warning] of answers) {
    it(`an answer ${what} is refused`, () => {
      const pair = new Pair(end('webrtc'), end('plain', { codecs: ['PCMU'] }));
      const { sent } = pair.offer(fixture('audio-offer'));
      const result = pair.answerer.readAnswer(text, sent, 'callee');
      refused(result, code, warning);
      if (code === 'media.not_acceptable') assert.equal((result as SipFailure).party, 'callee');
    });
  }
});

/** `kind port protocol formats` of each line. */
function lines(sdp: string): string[] {
  return [...sdp.matchAll(/^m=(.*)\r$/gm)].map((match) => match[1] ?? '');
}

function videoFormats(sdp: string): string {
  return /^m=video \d+ \S+ (.*)\r$/m.exec(sdp)?.[1] ?? '';
}

function without(name: string, attributeName: string): string {
  return fixture(name).replace(new RegExp(`a=${attributeName}:.*\\r\\n`, 'g'), '');
}

function browserAnswer(formats: string): string {
  const answer = fixture('audio-answer').replace(/^(m=audio \d+ \S+) .*\r$/m, `$1 ${formats}\r`);
  assert.ok(audioPort(answer) > 0);
  return answer;
}
