/** The parts of a session description (RFC 8866) that a media engine decides on; everything else is not relayed. */

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** SDP flavour of a media end (DESIGN §2). */
export type SdpProfile = 'webrtc' | 'plain';

export type AddressFamily = 4 | 6;

/** `o=` (RFC 8866 §5.2). Id and version are decimal text: they may exceed 2^53. */
export interface SdpOrigin {
  readonly username: string;
  readonly sessionId: string;
  readonly sessionVersion: string;
  readonly family: AddressFamily;
  readonly host: string;
}

/** `c=`: an address literal, or a name that we never resolve. */
export interface SdpAddress {
  readonly family: AddressFamily;
  readonly host: string;
}

/** One format of an RTP line: `a=rtpmap` or the static table of RFC 3551 §6, with its `a=fmtp`. */
export interface SdpCodec {
  readonly payloadType: number;
  /** As written; compared without case. */
  readonly name: string;
  readonly clockRate: number;
  readonly channels: number;
  /** The text of `a=fmtp`. */
  readonly parameters?: string;
}

/** `a=candidate` (RFC 8839 §5.1). */
export interface SdpCandidate {
  readonly foundation: string;
  readonly component: number;
  readonly transport: string;
  readonly priority: number;
  readonly host: string;
  readonly port: number;
  readonly type: string;
  /** `raddr` of a reflexive or relayed candidate. */
  readonly relatedHost?: string;
}

export interface IceCredentials {
  readonly ufrag: string;
  readonly pwd: string;
}

/** `a=fingerprint` (RFC 8122 §5). */
export interface SdpFingerprint {
  readonly algorithm: string;
  readonly value: string;
}

/** `a=crypto` (RFC 4568 §9.1): SRTP with its key in SDP. */
export interface SdpCrypto {
  readonly tag: number;
  readonly suite: string;
  /** Master key and salt, base64. Never logged. */
  readonly key: string;
  /** Packets under the key, as written. */
  readonly lifetime?: string;
  /** Master key identifier and its length, as written. */
  readonly mki?: string;
}

/** `a=setup` (RFC 4145 §4). */
export type DtlsSetup = 'active' | 'passive' | 'actpass' | 'holdconn';

/** `b=` (RFC 8866 §5.8): `AS` in kbit/s, `TIAS` in bit/s. */
export interface SdpBandwidth {
  readonly type: 'AS' | 'TIAS';
  readonly limit: number;
}

/** `a=rtcp-fb` (RFC 4585 §4.2), for one payload type or, as `*`, for all. */
export interface SdpFeedback {
  readonly payloadType: number | '*';
  /** `nack pli`, `ccm fir` … */
  readonly kind: string;
}

/** One `m=` line with its attributes; what may stand at session level is already inherited. */
export interface MediaSection {
  /** `audio`, `video`, `application`, `image` … */
  readonly kind: string;
  readonly port: number;
  readonly protocol: string;
  /** The format list as written. */
  readonly formats: readonly string[];
  /** Those formats that are payload types with a known encoding, in the same order. */
  readonly codecs: readonly SdpCodec[];
  readonly address?: SdpAddress;
  readonly direction: Direction;
  readonly ptimeMs?: number;
  readonly maxPtimeMs?: number;
  readonly bandwidth?: SdpBandwidth;
  readonly feedback?: readonly SdpFeedback[];
  readonly rtcp?: { readonly port: number; readonly address?: SdpAddress };
  readonly rtcpMux: boolean;
  readonly bundleOnly: boolean;
  readonly mid?: string;
  readonly ice?: IceCredentials;
  readonly candidates: readonly SdpCandidate[];
  readonly endOfCandidates: boolean;
  readonly fingerprint?: SdpFingerprint;
  readonly setup?: DtlsSetup;
  /** The lines that can be agreed on, in the end's order; absent when no line is there at all. */
  readonly crypto?: readonly SdpCrypto[];
}

export interface SdpSession {
  readonly origin: SdpOrigin;
  /** Session-level `c=`, written only: when read it is in the sections already. */
  readonly address?: SdpAddress;
  /** The mids of the first `a=group:BUNDLE` (RFC 9143). */
  readonly bundle: readonly string[];
  readonly media: readonly MediaSection[];
}

/** What both ends of a call agree on for one stream, free of any profile. */
export interface StreamDescription {
  readonly codecs: readonly SdpCodec[];
  readonly direction: Direction;
  readonly ptimeMs?: number;
  readonly maxPtimeMs?: number;
  /** Of video only: what each end takes is limited by its own browser or PBX. */
  readonly bandwidth?: SdpBandwidth;
}

/** Our own side of a plain RTP transport. */
export interface PlainTransport {
  readonly profile: 'plain';
  readonly address: SdpAddress;
  readonly rtpPort: number;
  readonly rtcpPort: number;
  /** SRTP: our own keys, one line in an answer (RFC 4568 §7.1.2). */
  readonly crypto?: readonly SdpCrypto[];
}

/** Our own side of an ICE and DTLS-SRTP transport: RTP and RTCP on one port. */
export interface WebrtcTransport {
  readonly profile: 'webrtc';
  readonly address: SdpAddress;
  readonly port: number;
  readonly ice: IceCredentials;
  readonly fingerprint: SdpFingerprint;
  readonly setup: DtlsSetup;
  /** Default: one host candidate of that address and port. */
  readonly candidates?: readonly SdpCandidate[];
}

export type LocalTransport = PlainTransport | WebrtcTransport;
