import { hostCandidate } from './candidates.js';
import type { MediaSection, StreamDescription, WebrtcTransport } from './description.js';
import { withEventRange } from './payload-types.js';

/**
 * The section that a browser gets (RFC 8829 §5.2, §5.3): ICE with our host candidates, DTLS-SRTP, RTCP on the RTP
 * port. No `a=ssrc`: SSRCs pass through the relay untouched, and Chromium plays silence when one is signalled that
 * does not arrive. The PBX's crypto, rtcp, label, tool and b= lines have no meaning here.
 */
export function webrtcSection(
  stream: StreamDescription,
  transport: WebrtcTransport,
  protocol: string,
  mid: string | undefined,
): MediaSection {
  const codecs = stream.codecs.map(withEventRange);
  return {
    kind: 'audio',
    port: transport.port,
    protocol,
    formats: codecs.map((codec) => String(codec.payloadType)),
    codecs,
    address: transport.address,
    direction: stream.direction,
    ...(stream.ptimeMs === undefined ? {} : { ptimeMs: stream.ptimeMs }),
    ...(stream.maxPtimeMs === undefined ? {} : { maxPtimeMs: stream.maxPtimeMs }),
    rtcpMux: true,
    bundleOnly: false,
    ...(mid === undefined ? {} : { mid }),
    ice: transport.ice,
    candidates: transport.candidates ?? [hostCandidate(transport.address, transport.port)],
    endOfCandidates: true,
    fingerprint: transport.fingerprint,
    setup: transport.setup,
  };
}
