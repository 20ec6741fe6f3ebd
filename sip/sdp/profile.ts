import { addressFamily, isGroupAddress } from './candidates.js';
import type { AddressFamily, MediaSection, SdpProfile } from './description.js';
import { isUnspecified } from './direction.js';
import { type LineRefusal, warningCode } from './refusal.js';

/** Transport protocols that an end of each profile may use for audio. */
const protocols: { readonly [profile in SdpProfile]: readonly string[] } = {
  // RFC 5764 §8; RTP/SAVPF with a fingerprint is what browsers wrote before it.
  webrtc: ['UDP/TLS/RTP/SAVPF', 'UDP/TLS/RTP/SAVP', 'RTP/SAVPF'],
  plain: ['RTP/AVP', 'RTP/AVPF'],
};

/** What we write when the end has not chosen yet. */
export const defaultProtocol: { readonly [profile in SdpProfile]: string } = {
  webrtc: 'UDP/TLS/RTP/SAVPF',
  plain: 'RTP/AVP',
};

/** False when the line is switched off: port 0, unless it shares another line's transport (RFC 9143 §6). */
export function isLive(section: MediaSection): boolean {
  return section.port !== 0 || section.bundleOnly;
}

/**
 * Why we cannot exchange media with the end over this line, or undefined when we can. `family` is our own address's;
 * undefined: we have both.
 */
export function transportFault(
  section: MediaSection,
  profile: SdpProfile,
  family: AddressFamily | undefined,
): LineRefusal | undefined {
  if (!protocols[profile].includes(section.protocol)) {
    const text = `transport ${section.protocol} is not taken here, only ${protocols[profile].join(', ')}`;
    return { code: warningCode.incompatibleTransport, text };
  }
  return profile === 'webrtc' ? webrtcFault(section) : plainFault(section, family);
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
