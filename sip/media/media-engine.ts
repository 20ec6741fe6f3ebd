import type { SipFailure } from '../failure.js';
import { knownVideoCodecs } from '../sdp/codecs.js';
import type { SrtpUse } from '../sdp/profile.js';

/** SDP flavour of a media end (DESIGN §2). */
export type MediaProfile = 'webrtc' | 'plain';

/** A key of a phone: `0`–`9`, `*`, `#`, `A`–`D`. */
export interface DtmfTone {
  readonly digit: string;
  readonly durationMs: number;
}

/** What one media end speaks and takes. */
export interface MediaEndOptions {
  readonly profile: MediaProfile;
  /** Codec names that may be offered to or accepted from this end, in order of preference; undefined: all known ones. */
  readonly codecs?: readonly string[];
  /** Packet time in ms to offer to a plain end. */
  readonly ptimeMs?: number;
  /** Names of the video codecs that may be offered to or accepted from this end; absent or empty: no video. */
  readonly video?: readonly string[];
  /** SRTP with keys in SDP towards a plain end (RFC 4568); `off` when absent. rtpengine alone can do it. */
  readonly srtp?: SrtpUse;
  /**
   * How the end tells DTMF: by RFC 4733 events in its RTP (default), or in signalling: then it gets no events, and those
   * that are meant for it are told to {@link MediaListener.dtmf}.
   */
  readonly dtmf?: 'events' | 'signalled';
}

/** What a browser's end speaks; its audio codecs follow the other end's. */
export const browserEnd = {
  profile: 'webrtc',
  video: knownVideoCodecs,
} as const satisfies MediaEndOptions;

/** What a media session tells its call. */
export interface MediaListener {
  /** No packet came from the end for the engine's timeout, or its transport failed. */
  timeout(endId: string, failure: SipFailure): void;
  /** The end has sent a tone to an end whose DTMF is signalled. */
  dtmf?(endId: string, tone: DtmfTone): void;
}

/** Packets and bytes received from one end and forwarded to the other. */
export interface MediaEndStats {
  readonly endId: string;
  readonly packetsReceived: number;
  readonly bytesReceived: number;
  readonly packetsDropped: number;
  readonly codec: string | undefined;
  /** How the packets that this end has sent arrive, by RTP and RTCP (RFC 3550 §6.4); absent while that is not known. */
  readonly quality?: MediaQuality;
}

/** How the packets of one end arrived, averaged over the call. */
export interface MediaQuality {
  /** Number of lost packets; absent when the engine does not count them. */
  readonly packetsLost?: number;
  /** Lost packets, in percent. */
  readonly packetLoss: number;
  readonly jitterMs: number;
  /** Between the two ends; absent when no report told. */
  readonly roundTripMs?: number;
  /** Mean opinion score as the engine estimates it, from 1 to 5; absent when it does not. */
  readonly mos?: number;
}

/**
 * What a media engine holds for one call (DESIGN §2). One end belongs to the caller leg; each callee leg that is tried
 * gets its own end. Media flows between the caller's end and the callee's end that answered last (an answer in an 18x
 * counts: early media). End ids are leg ids. Offers and answers may repeat any number of times (re-INVITE).
 */
export interface MediaSession {
  /** `m_…` */
  readonly id: string;
  /** Adds an end; the first one added is the caller's. */
  addEnd(endId: string, options: MediaEndOptions): void;
  /** Removes a callee's end and frees its ports; unknown ids are ignored. */
  removeEnd(endId: string): void;
  /**
   * Takes the offer that came from `fromEndId` and returns the offer to send to `toEndId`. Rejects with a SipFailure:
   * `media.sdp_malformed`, `media.not_acceptable` (with a Warning header that names the line), `media.no_ports`.
   */
  offer(fromEndId: string, toEndId: string, sdp: string): Promise<string>;
  /**
   * Takes the answer that came from `fromEndId` to the last offer sent to it and returns the answer for `toEndId`.
   * The same answer given again (18x, then 200) returns the same SDP. Rejects like `offer`.
   */
  answer(fromEndId: string, toEndId: string, sdp: string): Promise<string>;
  /** The last offer sent to `toEndId` was refused: both ends stay as they were before it (RFC 3261 §14.1). */
  refuse(toEndId: string): void;
  /**
   * The next offer to the browser's end asks for a new network path (ICE restart, RFC 8445 §9), even when the old one seems
   * to stand. Engines that cannot offer one leave the path to the browser.
   */
  renewPath?(endId: string): void;
  /** Sends a tone to the end as RFC 4733 events; resolves with false when that is not possible now. Never rejects. */
  sendDtmf?(endId: string, tone: DtmfTone): Promise<boolean>;
  /** For engines that pass descriptions on: a trickle fragment (RFC 8840) as the other end may see it. */
  passFragment?(fragment: string): string;
  /** The figures that are known here. */
  stats(): readonly MediaEndStats[];
  /** For engines in other processes: asks for the last figures, before close. Never rejects; takes a second at most. */
  finalStats?(): Promise<readonly MediaEndStats[]>;
  /**
   * For engines whose media outlives this process: what another process needs to go on with the session, plain values.
   * Undefined while nothing was agreed on.
   */
  snapshot?(): unknown;
  /** Frees all ports and connections. Idempotent. */
  close(): void;
}

/** Who carries the media of calls. */
export type MediaEngineName = 'relay' | 'rtpengine' | 'passthrough';

export interface MediaEngine {
  readonly name: MediaEngineName;
  /** Begins a media session for a call. Throws a SipFailure `media.failed` when the engine is closed. */
  createSession(callId: string, listener: MediaListener): MediaSession;
  /** Goes on with a session that {@link MediaSession.snapshot} has told of. Throws `media.failed` when that is not possible. */
  restoreSession?(snapshot: unknown, listener: MediaListener): MediaSession;
  /** Number of open sessions. */
  readonly size: number;
  /** False while no new call would get media; absent: it is always ready. */
  readonly isReady?: boolean;
  /**
   * For engines in other processes, once no other process of this gateway is left: deletes what those have left, but for the
   * calls that other gateways have taken over, by their ids in the engine.
   */
  cleanUp?(elsewhere?: ReadonlySet<string>): void;
  close(): Promise<void>;
}
