import { hostCandidate } from './candidates.js';
import type { MediaSection, SdpFeedback, StreamDescription, WebrtcTransport } from './description.js';
import { withEventRange } from './payload-types.js';

/** Where a section stands among the end's lines. */
export interface WebrtcLine {
  readonly kind: string;
  readonly protocol: string;
  readonly mid: string | undefined;
  /** What the end has offered; undefined in an offer of ours. */
  readonly feedback?: readonly SdpFeedback[] | undefined;
}

/**
 * Picture requests, which any video phone understands. Not `nack`, `goog-remb` and `transport-cc`: they ask for things
 * that only the other end's transport could do.
 */
const pictureRequests: readonly string[] = ['nack pli', 'ccm fir'];

/**
 * The section that a browser gets (RFC 8829 §5.2, §5.3): ICE with our host candidates, DTLS-SRTP, RTCP on the RTP
 * port. No `a=ssrc`: SSRCs pass through the relay untouched, and Chromium plays silence when one is signalled that
 * does not arrive. The PBX's crypto, rtcp, label and tool lines have no meaning here, nor has its `b=` for audio.
 */
export function webrtcSection(
  stream: StreamDescription,
  transport: WebrtcTransport,
  { kind, protocol, mid, feedback }: WebrtcLine,
): MediaSection {
  const codecs = stream.codecs.map(withEventRange);
  return {
    kind,
    port: transport.port,
    protocol,
    formats: codecs.map((codec) => String(codec.payloadType)),
    codecs,
    address: transport.address,
    direction: stream.direction,
    ...(stream.ptimeMs === undefined ? {} : { ptimeMs: stream.ptimeMs }),
    ...(stream.maxPtimeMs === undefined ? {} : { maxPtimeMs: stream.maxPtimeMs }),
    ...(stream.bandwidth === undefined ? {} : { bandwidth: stream.bandwidth }),
    ...(kind === 'video' ? { feedback: pictureFeedback(codecs, feedback) } : {}),
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

/** In an answer no more than was offered (RFC 4585 §4.2). */
function pictureFeedback(
  codecs: StreamDescription['codecs'],
  offered: readonly SdpFeedback[] | undefined,
): readonly SdpFeedback[] {
  return codecs.flatMap(({ payloadType }) =>
    pictureRequests
      .filter(
        (kind) =>
          offered === undefined ||
          offered.some(
            (one) => one.kind === kind && (one.payloadType === '*' || one.payloadType === payloadType),
          ),
      )
      .map((kind) => ({ payloadType, kind })),
  );
}
