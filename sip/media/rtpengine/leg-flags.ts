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

const plain: LegFlags = {
  'transport-protocol': 'RTP/AVP',
  ICE: 'remove',
  'rtcp-mux': ['demux'],
  SDES: ['off'],
  flags: always,
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
  readonly family: AddressFamily;
}

/** Flags of an `offer` command, for the end that is offered to. */
export function offerFlags({ profile, family }: NgEnd): NgCommand {
  const addressFamily = { 'address-family': `IP${family}` };
  if (profile === 'plain') return { ...plain, ...addressFamily };
  const toBrowser = { 'rtcp-mux': ['offer', 'require'], flags: [...always, 'generate-mid'] };
  return { ...webrtc, ...toBrowser, ...addressFamily };
}

/** Flags of an `answer` command, for the end that made the offer. */
export function answerFlags({ profile, family }: NgEnd): NgCommand {
  return { ...(profile === 'plain' ? plain : webrtc), 'address-family': `IP${family}` };
}
