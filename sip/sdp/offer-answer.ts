import { type FailureParty, SipFailure } from '../failure.js';
import { answeredCodecs, answeredVideoCodecs, shareVideoCodecs } from './codecs.js';
import { answeredCrypto, chooseCrypto, commonSuites } from './crypto.js';
import type {
  LocalTransport,
  MediaSection,
  SdpAddress,
  SdpCodec,
  SdpCrypto,
  SdpProfile,
  SdpSession,
  StreamDescription,
} from './description.js';
import { answerTo, effectiveDirection } from './direction.js';
import type { SdpEndSnapshot } from './end-snapshot.js';
import { bundledSection, ownBundle } from './bundle.js';
import { freeMid, liveLines, remember, switchedOff, type RememberedLine } from './lines.js';
import { PayloadTypes, renumber } from './payload-types.js';
import {
  dtlsProtocol,
  isLive,
  plainProtocol,
  transportFault,
  usesSdes,
  type LineAbilities,
  type SrtpUse,
} from './profile.js';
import { malformed, noSharedCodec, notAcceptable, type LineRefusal, warningCode } from './refusal.js';
import { parseSession, writeSession } from './session.js';
import { plainSection } from './to-plain.js';
import { webrtcSection } from './to-webrtc.js';

/** One m-line that carries media. */
export interface ReceivedLine {
  readonly index: number;
  readonly section: MediaSection;
  readonly stream: StreamDescription;
  /** The end's SRTP key: of the line of its offer that we take, or of its answer; undefined: it speaks plain RTP. */
  readonly crypto?: SdpCrypto;
}

/** What an end sent: the whole description, and which of its lines carries the audio. */
export interface ReceivedDescription extends ReceivedLine {
  readonly session: SdpSession;
  /** Absent when there is none that both can use, or when the end takes no video. */
  readonly video?: ReceivedLine;
}

/** A line of ours. */
export interface SentLine {
  readonly index: number;
  /** With the end's payload types. */
  readonly stream: StreamDescription;
  /** Our SRTP keys, of which the answer names one. */
  readonly crypto?: readonly SdpCrypto[];
}

/** What was written for an end. */
export interface SentOffer extends SentLine {
  readonly text: string;
  readonly lines: readonly RememberedLine[];
  readonly video?: SentLine;
}

/** The video line to write beside the audio. Towards a browser it shares the audio's port when that is the same (BUNDLE). */
export interface VideoToWrite {
  readonly stream: StreamDescription;
  readonly transport: LocalTransport;
}

export interface SdpEndOptions {
  readonly profile: SdpProfile;
  /** Codec names that this end takes, in order of preference; undefined: all known ones. */
  readonly codecs?: readonly string[];
  /** Packet time in ms to write to a plain end. */
  readonly ptimeMs?: number;
  /** Names of the video codecs that this end takes, in order of preference; absent or empty: no video. */
  readonly video?: readonly string[];
  /** A browser's video must share the audio's transport (BUNDLE, RFC 9143), or must not; it must when absent. */
  readonly bundlesVideo?: boolean;
  /** SRTP with keys in SDP towards a plain end; `off` when absent. */
  readonly srtp?: SrtpUse;
  /** SRTP suites that the media engine knows; absent: the two that everybody does. */
  readonly suites?: readonly string[];
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
  readonly #abilities: LineAbilities;
  readonly #payloadTypes = new PayloadTypes();
  readonly #videoPayloadTypes: PayloadTypes;
  #lines: readonly RememberedLine[] = [];
  #index = 0;
  #videoIndex: number | undefined;
  #version = 0;
  #lastText = '';

  constructor(private readonly options: SdpEndOptions) {
    const { profile, address, takesBothFamilies, srtp = 'off', suites = commonSuites } = options;
    this.profile = profile;
    // On one transport a number means one thing (RFC 9143 §9.1).
    this.#videoPayloadTypes = profile === 'webrtc' ? this.#payloadTypes : new PayloadTypes();
    const family = takesBothFamilies === true ? undefined : address.family;
    this.#abilities = { profile, srtp, suites, family };
  }

  get codecs(): readonly string[] | undefined {
    return this.options.codecs;
  }

  /** Names of the video codecs that this end takes. */
  get video(): readonly string[] {
    return this.options.video ?? [];
  }

  /** What is remembered of the descriptions so far, in plain values. */
  snapshot(): SdpEndSnapshot {
    return {
      sessionId: this.options.sessionId,
      version: this.#version,
      lastText: this.#lastText,
      lines: this.#lines,
      index: this.#index,
      videoIndex: this.#videoIndex,
      payloadTypes: this.#payloadTypes.snapshot(),
      videoPayloadTypes: this.#videoPayloadTypes.snapshot(),
    };
  }

  /** Goes on with what another process has remembered; the session id must be the same. */
  restore(snapshot: SdpEndSnapshot): void {
    this.#version = snapshot.version;
    this.#lastText = snapshot.lastText;
    this.#lines = snapshot.lines;
    this.#index = snapshot.index;
    this.#videoIndex = snapshot.videoIndex;
    this.#payloadTypes.restore(snapshot.payloadTypes);
    this.#videoPayloadTypes.restore(snapshot.videoPayloadTypes);
  }

  /**
   * Reads an offer from the end. Returns `media.sdp_malformed`, or `media.not_acceptable` when no audio line can be used:
   * its Warning header names the line. A video line that cannot be used is left out.
   */
  readOffer(text: string): ReceivedDescription | SipFailure {
    const session = parseSession(text);
    if (session instanceof SipFailure) return session;
    let refusal: SipFailure | undefined;
    for (const index of liveLines(session, 'audio', this.#index)) {
      const section = session.media[index];
      if (section === undefined) continue;
      const fault = transportFault(section, this.#abilities);
      if (fault === undefined) return this.#withVideo(session, this.#received(index, section));
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
    const fault = isLive(section) ? this.#answerFault(section, offer) : refusedLine;
    if (fault !== undefined) return notAcceptable(fault, line, party);
    const codecs = answeredCodecs(section.formats, section.codecs, offer.stream.codecs);
    if (codecs.length === 0)
      return notAcceptable(noSharedCodec(section.codecs, offer.stream.codecs), line, party);
    const audio = this.#answered(section, offer, codecs);
    const video = this.#answeredVideo(session, offer);
    return { session, ...audio, ...(video === undefined ? {} : { video }) };
  }

  /** Writes an offer to the end. Its codecs get this end's payload types; lines that are not ours stay switched off. */
  writeOffer(stream: StreamDescription, transport: LocalTransport, video?: VideoToWrite): SentOffer {
    const { profile } = this;
    const media = this.#lines.map((line) => switchedOff(line, profile));
    const index = media.length === 0 ? 0 : this.#index;
    const numbered = { ...stream, codecs: this.#payloadTypes.assign(stream.codecs) };
    media[index] = this.#ownLine('audio', numbered, transport, this.#lines[index]);
    const sentVideo = video === undefined ? undefined : this.#placeVideo(media, video);
    const text = this.#write(media, ownBundle(this.profile, media), transport);
    return {
      text,
      lines: media.map(remember),
      index,
      stream: numbered,
      ...ownCrypto(media[index]),
      ...(sentVideo === undefined ? {} : { video: sentVideo }),
    };
  }

  /** Writes our answer to the end's offer, with the payload types of that offer and every line in its place. */
  writeAnswer(
    offer: ReceivedDescription,
    stream: StreamDescription,
    transport: LocalTransport,
    video?: VideoToWrite,
  ): string {
    const media = offer.session.media.map((line) => switchedOff(line, this.profile));
    media[offer.index] = this.#answerLine(offer, stream, transport);
    if (offer.video !== undefined && video !== undefined) {
      media[offer.video.index] = this.#answerLine(offer.video, video.stream, video.transport);
    }
    const offered = new Set(offer.session.bundle);
    const bundle = ownBundle(this.profile, media).filter((mid) => offered.has(mid));
    return this.#write(media, bundle, transport);
  }

  /** The end's offer has been answered: its lines and payload types hold from now on. `video`: the codecs agreed on. */
  agreeReceived(
    offer: ReceivedDescription,
    codecs: readonly SdpCodec[],
    video: readonly SdpCodec[] = [],
  ): void {
    this.#lines = offer.session.media.map(remember);
    this.#index = offer.index;
    this.#payloadTypes.learn(renumber(codecs, offer.stream.codecs));
    if (offer.video === undefined) return;
    this.#videoIndex = offer.video.index;
    this.#videoPayloadTypes.learn(renumber(video, offer.video.stream.codecs));
  }

  /** The end has answered our offer. */
  agreeSent(offer: SentOffer): void {
    this.#lines = offer.lines;
    this.#index = offer.index;
    this.#videoIndex = offer.video?.index ?? this.#videoIndex;
  }

  #answerFault(section: MediaSection, { crypto }: SentLine): LineRefusal | undefined {
    const fault = transportFault(section, this.#abilities);
    if (fault !== undefined || crypto === undefined) return fault;
    if (section.crypto === undefined && !usesSdes(section.protocol)) return undefined;
    if (answeredCrypto(section.crypto ?? [], crypto) !== undefined) return undefined;
    return { code: warningCode.incompatibleTransport, text: 'no a=crypto with a tag and suite of the offer' };
  }

  #received(index: number, section: MediaSection): ReceivedLine {
    const { codecs, ptimeMs, maxPtimeMs, bandwidth } = section;
    const stream: StreamDescription = {
      codecs,
      direction: effectiveDirection(section, this.profile),
      ...(ptimeMs === undefined ? {} : { ptimeMs }),
      ...(maxPtimeMs === undefined ? {} : { maxPtimeMs }),
      ...(bandwidth === undefined || section.kind !== 'video' ? {} : { bandwidth }),
    };
    const { srtp, suites } = this.#abilities;
    const crypto = srtp === 'off' ? undefined : chooseCrypto(section.crypto ?? [], suites);
    return { index, section, stream, ...(crypto === undefined ? {} : { crypto }) };
  }

  #withVideo(session: SdpSession, audio: ReceivedLine): ReceivedDescription {
    for (const index of liveLines(session, 'video', this.#videoIndex)) {
      const section = this.#videoSection(session, index, audio.section);
      if (section === undefined || transportFault(section, this.#abilities) !== undefined) continue;
      const video = this.#received(index, section);
      if (shareVideoCodecs(video.stream.codecs, this.video, this.video).length > 0)
        return { session, ...audio, video };
    }
    return { session, ...audio };
  }

  #answered(section: MediaSection, offer: SentLine, codecs: readonly SdpCodec[]): ReceivedLine {
    const received = this.#received(offer.index, section);
    const direction = answerTo(offer.stream.direction, received.stream.direction);
    return { ...received, stream: { ...received.stream, codecs, direction } };
  }

  /** Video that the answer takes; one that cannot be used is as good as refused. */
  #answeredVideo(session: SdpSession, { index: offerIndex, video }: SentOffer): ReceivedLine | undefined {
    if (video === undefined) return undefined;
    const section = this.#videoSection(session, video.index, session.media[offerIndex]);
    if (section?.kind !== 'video' || !isLive(section)) return undefined;
    if (this.#answerFault(section, video) !== undefined) return undefined;
    const codecs = answeredVideoCodecs(section.codecs, video.stream.codecs);
    return codecs.length === 0 ? undefined : this.#answered(section, video, codecs);
  }

  #videoSection(
    session: SdpSession,
    index: number,
    audio: MediaSection | undefined,
  ): MediaSection | undefined {
    const section = session.media[index];
    if (this.profile === 'plain') return section;
    if (this.options.bundlesVideo === false) return section?.bundleOnly === true ? undefined : section;
    return bundledSection(session, audio, section);
  }

  /** Puts the video on the line that it had, or on a new one behind all others (RFC 3264 §8.1). */
  #placeVideo(media: MediaSection[], { stream, transport }: VideoToWrite): SentLine {
    const known = this.#videoIndex ?? this.#lines.findIndex((line) => line.kind === 'video');
    const index = known === -1 ? media.length : known;
    const numbered = { ...stream, codecs: this.#videoPayloadTypes.assign(stream.codecs) };
    const mid = freeMid(media.map(remember));
    const line = this.#lines[index] ?? this.#newLine('video', mid);
    media[index] = this.#ownLine('video', numbered, transport, line);
    return { index, stream: numbered, ...ownCrypto(media[index]) };
  }

  #newLine(kind: string, mid: string): RememberedLine {
    return { kind, protocol: '', formats: [], ...(this.profile === 'webrtc' ? { mid } : {}) };
  }

  #ownLine(
    kind: string,
    stream: StreamDescription,
    transport: LocalTransport,
    line: RememberedLine = this.#newLine(kind, '0'),
  ): MediaSection {
    if (transport.profile === 'webrtc') {
      const protocol = dtlsProtocol(line.protocol);
      return webrtcSection(stream, transport, { kind, protocol, mid: line.mid });
    }
    const protocol = plainProtocol(line.protocol, transport.crypto !== undefined, this.#abilities.srtp);
    return this.#plainLine(kind, stream, transport, protocol);
  }

  #answerLine(offer: ReceivedLine, stream: StreamDescription, transport: LocalTransport): MediaSection {
    const { kind, protocol, mid, feedback = [] } = offer.section;
    const numbered = { ...stream, codecs: renumber(stream.codecs, offer.stream.codecs) };
    if (transport.profile === 'webrtc')
      return webrtcSection(numbered, transport, { kind, protocol, mid, feedback });
    // RFC 4568 §7.1.2: a key answers a key.
    const { crypto, ...open } = transport;
    const isKeyed = offer.crypto !== undefined && crypto !== undefined;
    return this.#plainLine(kind, numbered, isKeyed ? { ...open, crypto } : open, protocol);
  }

  #plainLine(
    kind: string,
    stream: StreamDescription,
    transport: LocalTransport & { readonly profile: 'plain' },
    protocol: string,
  ): MediaSection {
    if (kind !== 'audio') return plainSection(stream, transport, protocol, kind);
    const ptimeMs = this.options.ptimeMs ?? stream.ptimeMs ?? 20;
    return plainSection({ ...stream, ptimeMs }, transport, protocol);
  }

  /** The `o=` version rises with every description that differs from the one before (RFC 3264 §8). */
  #write(media: readonly MediaSection[], bundle: readonly string[], transport: LocalTransport): string {
    const { sessionId, address } = this.options;
    const describe = (version: number): string =>
      writeSession({
        origin: { username: '-', sessionId, sessionVersion: String(version), ...address },
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

const refusedLine: LineRefusal = {
  code: warningCode.mediaTypeNotAvailable,
  text: 'refused by the other side',
};

function ownCrypto(section: MediaSection | undefined): Pick<SentLine, 'crypto'> {
  return section?.crypto === undefined ? {} : { crypto: section.crypto };
}

function noAudio(session: SdpSession): SipFailure {
  const refusal = { code: warningCode.mediaTypeNotAvailable, text: 'no audio line that is switched on' };
  const [first] = session.media;
  return notAcceptable(refusal, first === undefined ? undefined : { kind: first.kind, index: 0 });
}
