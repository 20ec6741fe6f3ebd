import { addressFamily, isGroupAddress } from './candidates.js';
import { chooseCrypto } from './crypto.js';
import type { AddressFamily, MediaSection, SdpProfile } from './description.js';
import { isUnspecified } from './direction.js';
import { type LineRefusal, warningCode } from './refusal.js';

/**
 * Whether a plain end may, or must, use SRTP with keys in SDP (RFC 4568). `optional`: keys are offered beside RTP/AVP, and
 * it is SRTP when the answer has keys too (RFC 8643). `required`: RTP/SAVP alone.
 */
export type SrtpUse = 'off' | 'optional' | 'required';

// RFC 5764 §8; RTP/SAVPF with a fingerprint is what browsers wrote before it.
const dtlsProtocols: readonly string[] = ['UDP/TLS/RTP/SAVPF', 'UDP/TLS/RTP/SAVP', 'RTP/SAVPF'];
const openProtocols: readonly string[] = ['RTP/AVP', 'RTP/AVPF'];
const sdesProtocols: readonly string[] = ['RTP/SAVP', 'RTP/SAVPF'];

const plainProtocols: { readonly [use in SrtpUse]: readonly string[] } = {
  off: openProtocols,
  optional: [...openProtocols, ...sdesProtocols],
  required: sdesProtocols,
};

/** What an end can do with a line. */
export interface LineAbilities {
  readonly profile: SdpProfile;
  readonly srtp: SrtpUse;
  /** SRTP suites that are taken. */
  readonly suites: readonly string[];
  /** Our own address's family; undefined: we have both. */
  readonly family: AddressFamily | undefined;
}

/** True when the protocol of a plain line demands keys in SDP. */
export function usesSdes(protocol: string): boolean {
  return sdesProtocols.includes(protocol);
}

/** The protocol to write in an offer to a plain end: the known one unless keys, or their absence, need another. */
export function plainProtocol(known: string, hasCrypto: boolean, srtp: SrtpUse): string {
  const fitting = hasCrypto ? plainProtocols[srtp] : openProtocols;
  if (fitting.includes(known)) return known;
  return hasCrypto && srtp === 'required' ? 'RTP/SAVP' : 'RTP/AVP';
}

/** The protocol to write to a browser: the one that it has chosen, if any. */
export function dtlsProtocol(known: string): string {
  return dtlsProtocols.includes(known) ? known : 'UDP/TLS/RTP/SAVPF';
}

/** False when the line is switched off: port 0, unless it shares another line's transport (RFC 9143 §6). */
export function isLive(section: MediaSection): boolean {
  return section.port !== 0 || section.bundleOnly;
}

/** Why we cannot exchange media with the end over this line, or undefined when we can. */
export function transportFault(section: MediaSection, abilities: LineAbilities): LineRefusal | undefined {
  const { profile, srtp, family } = abilities;
  const protocols = profile === 'webrtc' ? dtlsProtocols : plainProtocols[srtp];
  if (!protocols.includes(section.protocol)) {
    const text = `transport ${section.protocol} is not taken here, only ${protocols.join(', ')}`;
    return { code: warningCode.incompatibleTransport, text };
  }
  if (profile === 'webrtc') return webrtcFault(section);
  return plainFault(section, family) ?? sdesFault(section, abilities);
}

/** RFC 4568 §7.1.2: without a line that can be agreed on, the offer is refused. */
function sdesFault(section: MediaSection, { suites }: LineAbilities): LineRefusal | undefined {
  if (!usesSdes(section.protocol) || chooseCrypto(section.crypto ?? [], suites) !== undefined)
    return undefined;
  const text = `no usable a=crypto, only ${suites.join(', ')} without session parameters and MKI`;
  return { code: warningCode.incompatibleTransport, text };
}

function webrtcFault(section: MediaSection): LineRefusal | undefined {
  const lack = (what: string): LineRefusal => ({
    code: warningCode.incompatibleTransport,
    text: `no ${what}`,
  });
  if (section.ice === undefined) return lack('usable a=ice-ufrag and a=ice-pwd');
  if (section.fingerprint === undefined) return lack('usable a=fingerprint');
  if (!section.rtcpMux) return lack('a=rtcp-mux');
  if (section.setup === 'holdconn') return lack('DTLS, a=setup is holdconn');
  return undefined;
}

function plainFault(section: MediaSection, family: AddressFamily | undefined): LineRefusal | undefined {
  const { address } = section;
  if (address === undefined) return { code: warningCode.incompatibleAddressFormat, text: 'no c= line' };
  if (isUnspecified(address.host)) return undefined;
  const given = addressFamily(address.host);
  if (given === undefined || (family !== undefined && given !== family)) {
    const wanted = family === undefined ? 'IP' : `IPv${family}`;
    return { code: warningCode.incompatibleAddressFormat, text: `the c= line is not an ${wanted} address` };
  }
  if (isGroupAddress(address.host))
    return { code: warningCode.multicastNotAvailable, text: 'multicast is not taken' };
  return undefined;
}
