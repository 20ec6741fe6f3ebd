import type { MediaSection, PlainTransport, StreamDescription } from './description.js';
import { withEventRange } from './payload-types.js';

/**
 * The section that a PBX gets: our own address and ports, and our own keys if there are any. Nothing of a browser's SDP survives but codecs,
 * direction and packet time; ICE, DTLS, BUNDLE, header extensions, feedback and SSRC lines have no meaning there.
 * The address stands at session level, where old PBXs look for it. `a=rtcp` only when it is not the next port (RFC 3605).
 */
export function plainSection(
  stream: StreamDescription,
  transport: PlainTransport,
  protocol: string,
  kind = 'audio',
): MediaSection {
  const codecs = stream.codecs.map(withEventRange);
  return {
    kind,
    port: transport.rtpPort,
    protocol,
    formats: codecs.map((codec) => String(codec.payloadType)),
    codecs,
    direction: stream.direction,
    ...(stream.ptimeMs === undefined ? {} : { ptimeMs: stream.ptimeMs }),
    ...(stream.maxPtimeMs === undefined ? {} : { maxPtimeMs: stream.maxPtimeMs }),
    ...(transport.rtcpPort === transport.rtpPort + 1 ? {} : { rtcp: { port: transport.rtcpPort } }),
    rtcpMux: false,
    bundleOnly: false,
    ...(stream.bandwidth === undefined ? {} : { bandwidth: stream.bandwidth }),
    ...(transport.crypto === undefined ? {} : { crypto: transport.crypto }),
    candidates: [],
    endOfCandidates: false,
  };
}
