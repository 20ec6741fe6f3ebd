import { type FailureParty, SipFailure } from '../failure.js';
import { answeredCodecs, knownCodecs, shareCodecs } from './codecs.js';
import type {
  AddressFamily,
  LocalTransport,
  MediaSection,
  SdpAddress,
  SdpCodec,
  SdpProfile,
  SdpSession,
  StreamDescription,
} from './description.js';
import { answerTo, effectiveDirection } from './direction.js';
import { PayloadTypes, renumber } from './payload-types.js';
import { defaultProtocol, isLive, transportFault } from './profile.js';
import { malformed, notAcceptable, type LineRefusal, warningCode } from './refusal.js';
import { parseSession, writeSession } from './session.js';
import { plainSection } from './to-plain.js';
import { webrtcSection } from './to-webrtc.js';

/** What an end sent: the whole description, and which of its lines carries the audio. */
export interface ReceivedDescription {
  readonly session: SdpSession;
  readonly index: number;
  readonly section: MediaSection;
  readonly stream: StreamDescription;
}

/** What was written for an end. */
export interface SentOffer {
  readonly text: string;
  readonly lines: readonly RememberedLine[];
  readonly index: number;
  readonly stream: StreamDescription;
}

/** An m-line keeps its position for the whole dialog, used or not (RFC 3264 §8). */
interface RememberedLine {
  readonly kind: string;
  readonly protocol: string;
  readonly formats: readonly string[];
  readonly mid?: string;
}

export interface SdpEndOptions {
  readonly profile: SdpProfile;
  /** Codec names that this end takes, in order of preference; undefined: all known ones. */
  readonly codecs?: readonly string[];
  /** Packet time in ms to write to a plain end. */
  readonly ptimeMs?: number;
  /** Our address as the end sees it; plain ends must have one of the same family. */
  readonly address: SdpAddress;
  /** Plain ends of both families are taken. */
  readonly takesBothFamilies?: boolean;
  /** `o=` session id: decimal, unpredictable, below 2^53 (RFC 8866 §5.2). */
  readonly sessionId: string;
}

/**
 * One end's SDP over the life of a call (RFC 3264): it reads the end's offers and answers and writes ours to it.
 * Reading changes nothing; a description becomes the agreed one with {@link agreeReceived} or {@link agreeSent}, so that
 * a refused offer leaves no trace but a used `o=` version.
 */
export class SdpEnd {
  readonly profile: SdpProfile;
  readonly #family: AddressFamily;
  readonly #payloadTypes = new PayloadTypes();
  #lines: readonly RememberedLine[] = [];
  #index = 0;
  #version = 0;
  #lastText = '';

  constructor(private readonly options: SdpEndOptions) {
    this.profile = options.profile;
    this.#family = options.address.family;
  }

  get codecs(): readonly string[] | undefined {
    return this.options.codecs;
  }

  /**
   * Reads an offer from the end. Returns `media.sdp_malformed`, or `media.not_acceptable` when no audio line can be used:
   * its Warning header names the line.
   */
  readOffer(text: string): ReceivedDescription | SipFailure {
    const session = parseSession(text);
    if (session instanceof SipFailure) return session;
    let refusal: SipFailure | undefined;
    for (const index of this.#audioLines(session)) {
      const section = session.media[index];
      if (section === undefined) continue;
      const fault = this.#fault(section);
      if (fault === undefined) return this.#received(session, index, section);
      refusal ??= notAcceptable(fault, { kind: section.kind, index });
    }
    return refusal ?? noAudio(session);
  }

  /** Reads the end's answer to `offer`. Like {@link readOffer}; the refusals name the end as the party. */
  readAnswer(text: string, offer: SentOffer, party: FailureParty): ReceivedDescription | SipFailure {
    const session = parseSession(text);
    if (session instanceof SipFailure) return session;
    const section = session.media[offer.index];
    if (section === undefined) return malformed(`the answer has no m= line ${offer.index + 1}`);
    const line = { kind: section.kind, index: offer.index };
    if (section.kind !== 'audio') return malformed(`m= line ${offer.index + 1} of the answer is not audio`);
    const fault = isLive(section) ? this.#fault(section) : refusedLine;
    if (fault !== undefined) return notAcceptable(fault, line, party);
    const codecs = answeredCodecs(section.formats, section.codecs, offer.stream.codecs);
    if (codecs.length === 0) return notAcceptable(noShared(section.codecs, offer.stream.codecs), line, party);
    const received = this.#received(session, offer.index, section);
    const direction = answerTo(offer.stream.direction, received.stream.direction);
    return { ...received, stream: { ...received.stream, codecs, direction } };
  }

  /** Writes an offer to the end. Its codecs get this end's payload types; lines that are not ours stay switched off. */
  writeOffer(stream: StreamDescription, transport: LocalTransport): SentOffer {
    const known = this.#lines[this.#index];
    const mid = known === undefined ? '0' : known.mid;
    const numbered = { ...stream, codecs: this.#payloadTypes.assign(stream.codecs) };
    const live = this.#section(numbered, transport, known?.protocol ?? defaultProtocol[this.profile], mid);
    const media =
      known === undefined
        ? [live]
        : this.#lines.map((line, index) => (index === this.#index ? live : this.#off(line)));
    const bundle = this.profile === 'webrtc' && mid !== undefined ? [mid] : [];
    const text = this.#write(media, bundle, transport);
    return { text, lines: media.map(remember), index: this.#index, stream: numbered };
  }

  /** Writes our answer to the end's offer, with the payload types of that offer and every line in its place. */
  writeAnswer(offer: ReceivedDescription, stream: StreamDescription, transport: LocalTransport): string {
    const numbered = { ...stream, codecs: renumber(stream.codecs, offer.stream.codecs) };
    const { mid } = offer.section;
    const live = this.#section(numbered, transport, offer.section.protocol, mid);
    const media = offer.session.media.map((line, index) => (index === offer.index ? live : this.#off(line)));
    const isBundled = mid !== undefined && offer.session.bundle.includes(mid);
    return this.#write(media, this.profile === 'webrtc' && isBundled ? [mid] : [], transport);
  }

  /** The end's offer has been answered: its lines and payload types hold from now on. */
  agreeReceived(offer: ReceivedDescription, codecs: readonly SdpCodec[]): void {
    this.#lines = offer.session.media.map(remember);
    this.#index = offer.index;
    this.#payloadTypes.learn(renumber(codecs, offer.stream.codecs));
  }

  /** The end has answered our offer. */
  agreeSent(offer: SentOffer): void {
    this.#lines = offer.lines;
    this.#index = offer.index;
  }

  /** Positions of the audio lines that are switched on, the one in use first. */
  #audioLines(session: SdpSession): readonly number[] {
    const live = session.media.flatMap((section, index) =>
      section.kind === 'audio' && isLive(section) ? [index] : [],
    );
    return live.sort((a, b) => Number(b === this.#index) - Number(a === this.#index));
  }

  #fault(section: MediaSection): LineRefusal | undefined {
    const family = this.options.takesBothFamilies === true ? undefined : this.#family;
    return transportFault(section, this.profile, family);
  }

  #received(session: SdpSession, index: number, section: MediaSection): ReceivedDescription {
    const { codecs, ptimeMs, maxPtimeMs } = section;
    const stream: StreamDescription = {
      codecs,
      direction: effectiveDirection(section, this.profile),
      ...(ptimeMs === undefined ? {} : { ptimeMs }),
      ...(maxPtimeMs === undefined ? {} : { maxPtimeMs }),
    };
    return { session, index, section, stream };
  }

  #section(
    stream: StreamDescription,
    transport: LocalTransport,
    protocol: string,
    mid: string | undefined,
  ): MediaSection {
    if (transport.profile === 'webrtc') return webrtcSection(stream, transport, protocol, mid);
    const ptimeMs = this.options.ptimeMs ?? stream.ptimeMs ?? 20;
    return plainSection({ ...stream, ptimeMs }, transport, protocol);
  }

  /** A line that we do not carry, kept in its place with port 0 (RFC 3264 §6). */
  #off(line: RememberedLine): MediaSection {
    return {
      kind: line.kind,
      port: 0,
      protocol: line.protocol,
      formats: line.formats,
      codecs: [],
      address: { family: 4, host: '0.0.0.0' },
      direction: 'inactive',
      rtcpMux: false,
      bundleOnly: false,
      ...(line.mid === undefined || this.profile === 'plain' ? {} : { mid: line.mid }),
      candidates: [],
      endOfCandidates: false,
    };
  }

  /** The `o=` version rises with every description that differs from the one before (RFC 3264 §8). */
  #write(media: readonly MediaSection[], bundle: readonly string[], transport: LocalTransport): string {
    const describe = (version: number): string =>
      writeSession({
        origin: {
          username: '-',
          sessionId: this.options.sessionId,
          sessionVersion: String(version),
          family: this.#family,
          host: this.options.address.host,
        },
        ...(transport.profile === 'plain' ? { address: transport.address } : {}),
        bundle,
        media,
      });
    if (describe(this.#version) === this.#lastText) return this.#lastText;
    this.#version += 1;
    this.#lastText = describe(this.#version);
    return this.#lastText;
  }
}

/**
 * The stream to offer to `receiver` for an offer of `offerer`, or `media.not_acceptable` when they share no audio codec.
 */
export function offeredStream(
  offer: ReceivedDescription,
  offerer: SdpEnd,
  receiver: SdpEnd,
): StreamDescription | SipFailure {
  const codecs = shareCodecs(offer.stream.codecs, offerer.codecs, receiver.codecs);
  if (codecs.length > 0) return { ...offer.stream, codecs };
  const taken = receiver.codecs ?? offerer.codecs ?? knownCodecs;
  const refusal = noShared(
    offer.stream.codecs,
    taken.map((name) => ({ name })),
  );
  return notAcceptable(refusal, { kind: offer.section.kind, index: offer.index });
}

const refusedLine: LineRefusal = {
  code: warningCode.mediaTypeNotAvailable,
  text: 'refused by the other side',
};

function noShared(given: readonly { name: string }[], taken: readonly { name: string }[]): LineRefusal {
  const list = (codecs: readonly { name: string }[]): string =>
    codecs.map((codec) => codec.name.slice(0, 20)).join(' ') || 'none';
  return {
    code: warningCode.incompatibleFormat,
    text: `no shared codec, given ${list(given)}, taken ${list(taken)}`,
  };
}

function noAudio(session: SdpSession): SipFailure {
  const refusal = { code: warningCode.mediaTypeNotAvailable, text: 'no audio line that is switched on' };
  const [first] = session.media;
  return notAcceptable(refusal, first === undefined ? undefined : { kind: first.kind, index: 0 });
}

function remember(line: MediaSection): RememberedLine {
  const { kind, protocol, formats, mid } = line;
  return { kind, protocol, formats, ...(mid === undefined ? {} : { mid }) };
}
