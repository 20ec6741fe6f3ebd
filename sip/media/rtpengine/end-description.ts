import { failure } from '../../failure.js';
import { usableCandidates } from '../../sdp/candidates.js';
import type { LocalTransport, MediaSection, SdpAddress, StreamDescription } from '../../sdp/description.js';
import { SipFailure } from '../../failure.js';
import { parseSession, writeSession } from '../../sdp/session.js';
import type { MediaProfile } from '../media-engine.js';

/** Where packets to a browser go before ICE has found it: nowhere. Its SDP cannot make rtpengine send to anybody else. */
const discard: SdpAddress = { family: 4, host: '127.0.0.1' };
const discardPort = 9;

const protocols: { readonly [profile in MediaProfile]: string } = {
  plain: 'RTP/AVP',
  webrtc: 'UDP/TLS/RTP/SAVPF',
};

/**
 * An end's SDP as rtpengine gets it: one audio line, written from validated fields, with the codecs that are agreed on
 * or offered and nothing else. rtpengine never parses what a browser or a PBX has written.
 */
export function describeEnd(profile: MediaProfile, section: MediaSection, stream: StreamDescription): string {
  const { codecs, direction } = stream;
  const transport = profile === 'plain' ? plainTransport(section) : webrtcTransport(section);
  const address = profile === 'plain' ? section.address : discard;
  const origin = { username: '-', sessionId: '1', sessionVersion: '1', ...discard };
  return writeSession({
    origin,
    ...(address === undefined ? {} : { address }),
    bundle: [],
    media: [
      {
        kind: 'audio',
        protocol: protocols[profile],
        formats: codecs.map((codec) => String(codec.payloadType)),
        codecs,
        direction,
        bundleOnly: false,
        ...transport,
      },
    ],
  });
}

type Transport = Omit<MediaSection, 'kind' | 'protocol' | 'formats' | 'codecs' | 'direction' | 'bundleOnly'>;

function plainTransport({ port, rtcp }: MediaSection): Transport {
  return {
    port,
    ...(rtcp === undefined ? {} : { rtcp: { port: rtcp.port } }),
    rtcpMux: false,
    candidates: [],
    endOfCandidates: false,
  };
}

function webrtcTransport(section: MediaSection): Transport {
  const { ice, fingerprint, setup = 'actpass', candidates, endOfCandidates } = section;
  if (ice === undefined || fingerprint === undefined)
    throw new SyntaxError('no ICE credentials or fingerprint');
  return {
    port: discardPort,
    rtcpMux: true,
    mid: '0',
    ice,
    fingerprint,
    setup,
    candidates: [...usableCandidates(candidates, 4), ...usableCandidates(candidates, 6)],
    endOfCandidates,
  };
}

/** Our side towards an end, as the SDP that rtpengine gives for it tells. Throws `media.failed` when that lacks a part. */
export function readTransport(profile: MediaProfile, sdp: string): LocalTransport {
  const session = parseSession(sdp);
  if (session instanceof SipFailure) throw unusable(session.message);
  const [section] = session.media;
  if (section === undefined || section.port === 0) throw unusable('no audio line');
  const { address, port, rtcp, ice, fingerprint, setup, candidates } = section;
  if (address === undefined) throw unusable('no address');
  if (profile === 'plain') return { profile, address, rtpPort: port, rtcpPort: rtcp?.port ?? port + 1 };
  if (ice === undefined || fingerprint === undefined || setup === undefined)
    throw unusable('no ICE or DTLS parameters');
  return { profile, address, port, ice, fingerprint, setup, candidates };
}

function unusable(detail: string): SipFailure {
  return failure('media.failed', { detail: `rtpengine gave SDP that cannot be used: ${detail}` });
}
