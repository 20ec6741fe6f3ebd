import type { AddressFamily } from '../../sdp/description.js';
import type { MediaProfile } from '../media-engine.js';
import type { NgCommand } from './ng-codec.js';

/** What rtpengine has to do for the end that gets the SDP of its answer. */
interface LegFlags extends NgCommand {
  readonly 'transport-protocol': string;
  readonly ICE: string;
  readonly 'rtcp-mux': readonly string[];
  readonly SDES: readonly string[];
  readonly flags: readonly string[];
}

/**
 * For every end. `trust-address`: the addresses are those of the SDP, not ours that the command came from.
 * `port-latching`: its ports stay when the other end moves, so that an end is never offered another port than the one it
 * knows. `strict-source`: once it has learned where an end's packets come from, it drops those from elsewhere.
 */
const always = ['trust-address', 'port-latching', 'strict-source'];

/**
 * Suites that rtpengine would offer by itself and we do not take (sip/sdp/crypto.ts): long keys, that few PBXs know, and
 * those that encrypt nothing.
 */
const suitesNotTaken = [
  'AEAD_AES_256_GCM',
  'AEAD_AES_128_GCM',
  'AES_256_CM_HMAC_SHA1_80',
  'AES_256_CM_HMAC_SHA1_32',
  'AES_192_CM_HMAC_SHA1_80',
  'AES_192_CM_HMAC_SHA1_32',
  'F8_128_HMAC_SHA1_80',
  'F8_128_HMAC_SHA1_32',
  'NULL_HMAC_SHA1_80',
  'NULL_HMAC_SHA1_32',
];

const plain: LegFlags = {
  'transport-protocol': 'RTP/AVP',
  ICE: 'remove',
  'rtcp-mux': ['demux'],
  SDES: ['off'],
  flags: always,
};

/** SRTP with keys in SDP (RFC 4568), also where the PBX sees RTP/AVP with keys beside it: rtpengine knows one way. */
const keyed: LegFlags = {
  ...plain,
  'transport-protocol': 'RTP/SAVP',
  SDES: suitesNotTaken.map((suite) => `no-${suite}`),
};

/** `DTLS` stays unset: `passive` in an answer loses the ClientHello that left at offer time, `off` turns SRTP off. */
const webrtc: LegFlags = {
  'transport-protocol': 'UDP/TLS/RTP/SAVPF',
  ICE: 'force',
  'rtcp-mux': ['require'],
  SDES: ['off'],
  flags: always,
};

/** An end as commands name it. */
export interface NgEnd {
  /** Its tag. */
  readonly id: string;
  readonly profile: MediaProfile;
  /** A plain end whose keys are in SDP. */
  readonly isKeyed: boolean;
  readonly family: AddressFamily;
}

/** Flags of an `offer` command, for the end that is offered to. */
export function offerFlags({ profile, isKeyed, family }: NgEnd): NgCommand {
  const addressFamily = { 'address-family': `IP${family}` };
  if (profile === 'plain') return { ...(isKeyed ? keyed : plain), ...addressFamily };
  const toBrowser = { 'rtcp-mux': ['offer', 'require'], flags: [...always, 'generate-mid'] };
  return { ...webrtc, ...toBrowser, ...addressFamily };
}

/** Flags of an `answer` command, for the end that made the offer. */
export function answerFlags({ profile, isKeyed, family }: NgEnd): NgCommand {
  const toPlain = isKeyed ? keyed : plain;
  return { ...(profile === 'plain' ? toPlain : webrtc), 'address-family': `IP${family}` };
}
