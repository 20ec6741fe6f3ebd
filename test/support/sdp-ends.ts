import assert from 'node:assert/strict';
import { SipFailure } from '../../sip/failure.js';
import { ownCrypto } from '../../sip/sdp/crypto.js';
import type { LocalTransport, SdpProfile } from '../../sip/sdp/description.js';
import {
  SdpEnd,
  type ReceivedDescription,
  type SdpEndOptions,
  type SentOffer,
} from '../../sip/sdp/offer-answer.js';
import { offeredStream, offeredVideo } from '../../sip/sdp/offered-streams.js';

const address = { family: 4, host: '203.0.113.5' } as const;

/** A fixed key: what matters is that it is ours. */
export const ourKey = Buffer.alloc(30, 1).toString('base64');

export const ourTransports: {
  readonly [Profile in SdpProfile]: LocalTransport & { readonly profile: Profile };
} = {
  plain: { profile: 'plain', address, rtpPort: 20_000, rtcpPort: 20_001 },
  webrtc: {
    profile: 'webrtc',
    address,
    port: 20_002,
    ice: { ufrag: 'ours', pwd: 'abcdefghijklmnopqrstuv' },
    fingerprint: { algorithm: 'sha-256', value: Array<string>(32).fill('AB').join(':') },
    setup: 'actpass',
  },
};

export function sdpEnd(profile: SdpProfile, options: Partial<SdpEndOptions> = {}): SdpEnd {
  return new SdpEnd({ profile, address, sessionId: '4711', ...options });
}

export function unrefused<T>(result: T | SipFailure): T {
  if (result instanceof SipFailure) throw result;
  return result;
}

/** An offer that was read from one end and written to the other. */
export interface PassedOffer {
  readonly received: ReceivedDescription;
  readonly sent: SentOffer;
}

/** Both ends of a call, translated as a media engine does; audio and, where both take it, video. */
export class SdpPair {
  constructor(
    readonly offerer: SdpEnd,
    readonly answerer: SdpEnd,
  ) {}

  get reversed(): SdpPair {
    return new SdpPair(this.answerer, this.offerer);
  }

  offer(text: string): PassedOffer {
    const { offerer, answerer } = this;
    const received = unrefused(offerer.readOffer(text));
    const stream = unrefused(offeredStream(received, offerer, answerer));
    const video = offeredVideo(received, offerer, answerer);
    const transport = ourTransports[answerer.profile];
    const sent = answerer.writeOffer(
      stream,
      transport,
      video === undefined ? undefined : { stream: video, transport: videoTransport(transport) },
    );
    return { received, sent };
  }

  /** The reply to the offerer. */
  answer({ received, sent }: PassedOffer, text: string): string {
    const { offerer, answerer } = this;
    const answer = unrefused(answerer.readAnswer(text, sent, 'callee'));
    const transport = forAnswer(ourTransports[offerer.profile], received);
    const video = answer.video;
    const reply = offerer.writeAnswer(
      received,
      answer.stream,
      transport,
      video === undefined ? undefined : { stream: video.stream, transport: videoTransport(transport) },
    );
    offerer.agreeReceived(received, answer.stream.codecs, video?.stream.codecs);
    answerer.agreeSent(sent);
    return reply;
  }
}

/** Towards a browser the audio's own (BUNDLE), towards a PBX ports of its own. */
function videoTransport(transport: LocalTransport): LocalTransport {
  return transport.profile === 'webrtc' ? transport : { ...transport, rtpPort: 20_010, rtcpPort: 20_011 };
}

function forAnswer(transport: LocalTransport, { crypto }: ReceivedDescription): LocalTransport {
  if (transport.profile === 'webrtc') return { ...transport, setup: 'passive' };
  if (crypto === undefined) return transport;
  const own = ownCrypto(crypto.tag, crypto.suite, (sizeBytes) => Buffer.alloc(sizeBytes, 1));
  return { ...transport, crypto: [own] };
}

/** The m-lines without their `m=`, and the formats of those that are off left out. */
export function mediaLines(text: string): readonly string[] {
  return [...text.matchAll(/^m=(.*)\r$/gm)].map(([, line = '']) =>
    / 0 /.test(line.slice(0, line.indexOf(' ') + 3)) ? line.split(' ', 3).join(' ') : line,
  );
}

/** Names and clock rates of the codecs of the first m-line of a kind, in its order. */
export function codecNames(text: string, kind = 'audio'): readonly string[] {
  const section = text.split(/(?=^m=)/m).find((one) => one.startsWith(`m=${kind} `)) ?? '';
  const [, formats = ''] = /^m=\S+ \d+ \S+ (.*)\r$/m.exec(section) ?? [];
  return formats.split(' ').map((format) => {
    const [, name] = new RegExp(`^a=rtpmap:${format} (\\S+)\\r$`, 'm').exec(section) ?? [];
    assert.ok(name !== undefined, `no rtpmap for ${format}`);
    return name;
  });
}
