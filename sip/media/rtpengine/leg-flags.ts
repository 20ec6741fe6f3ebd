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
 * knows.
 */
const always = ['trust-address', 'port-latching'];

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

/**
 * What holds for the packets of the end whose SDP is told. Of a plain end only the source counts that was learned first
 * (`strict-source`). A browser proves itself by DTLS, ICE says where it is, and it may change to another pair of addresses at
 * any time: nothing is to be learned from its packets (`asymmetric`), else rtpengine goes back to a pair that ICE has left.
 */
function sourceFlags({ profile }: Pick<NgEnd, 'profile'>): readonly string[] {
  return [profile === 'plain' ? 'strict-source' : 'asymmetric'];
}

/** An end as commands name it. */
export interface NgEnd {
  /** Its tag. */
  readonly id: string;
  readonly profile: MediaProfile;
  /** A plain end whose keys are in SDP. */
  readonly isKeyed: boolean;
  readonly family: AddressFamily;
}

/** Flags of an `offer` command with the SDP of `from`, for the end that is offered to. */
export function offerFlags(from: Pick<NgEnd, 'profile'>, to: NgEnd): NgCommand {
  const leg = legFlags(to);
  const isBrowser = to.profile === 'webrtc';
  const flags = [...leg.flags, ...sourceFlags(from), ...(isBrowser ? ['generate-mid'] : [])];
  return { ...leg, ...(isBrowser ? { 'rtcp-mux': ['offer', 'require'] } : {}), flags, ...familyOf(to) };
}

/** Flags of an `answer` command with the SDP of `from`, for the end that made the offer. */
export function answerFlags(from: Pick<NgEnd, 'profile'>, to: NgEnd): NgCommand {
  const leg = legFlags(to);
  return { ...leg, flags: [...leg.flags, ...sourceFlags(from)], ...familyOf(to) };
}

function legFlags({ profile, isKeyed }: NgEnd): LegFlags {
  if (profile === 'webrtc') return webrtc;
  return isKeyed ? keyed : plain;
}

function familyOf({ family }: NgEnd): NgCommand {
  return { 'address-family': `IP${family}` };
}
