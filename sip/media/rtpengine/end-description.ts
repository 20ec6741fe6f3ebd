import { failure } from '../../failure.js';
import { usableCandidates } from '../../sdp/candidates.js';
import { commonSuites } from '../../sdp/crypto.js';
import type {
  LocalTransport,
  MediaSection,
  SdpAddress,
  SdpCrypto,
  StreamDescription,
} from '../../sdp/description.js';
import { SipFailure } from '../../failure.js';
import { parseSession, writeSession } from '../../sdp/session.js';
import type { MediaProfile } from '../media-engine.js';

/** Where packets to a browser go before ICE has found it: nowhere. Its SDP cannot make rtpengine send to anybody else. */
const discard: SdpAddress = { family: 4, host: '127.0.0.1' };
const discardPort = 9;

/**
 * An end's SDP as rtpengine gets it: one audio line, written from validated fields, with the codecs that are agreed on
 * or offered and nothing else. rtpengine never parses what a browser or a PBX has written. `crypto`: the plain end's key,
 * when it speaks SRTP.
 */
export function describeEnd(
  profile: MediaProfile,
  section: MediaSection,
  stream: StreamDescription,
  crypto?: SdpCrypto,
): string {
  const { codecs, direction } = stream;
  const openProtocol = crypto === undefined ? 'RTP/AVP' : 'RTP/SAVP';
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
        protocol: profile === 'plain' ? openProtocol : 'UDP/TLS/RTP/SAVPF',
        formats: codecs.map((codec) => String(codec.payloadType)),
        codecs,
        direction,
        bundleOnly: false,
        ...transport,
        ...(crypto === undefined ? {} : { crypto: [bare(crypto)] }),
      },
    ],
  });
}

/** Without the lifetime: rtpengine would refuse some that are long, and counts no packets. */
function bare({ tag, suite, key }: SdpCrypto): SdpCrypto {
  return { tag, suite, key };
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

/**
 * Our side towards an end, as the SDP that rtpengine gives for it tells. Throws `media.failed` when that lacks a part.
 * `isKeyed`: with our keys, towards a plain end that speaks SRTP.
 */
export function readTransport(profile: MediaProfile, sdp: string, isKeyed = false): LocalTransport {
  const session = parseSession(sdp);
  if (session instanceof SipFailure) throw unusable(session.message);
  const [section] = session.media;
  if (section === undefined || section.port === 0) throw unusable('no audio line');
  const { address, port, rtcp, ice, fingerprint, setup, candidates } = section;
  if (address === undefined) throw unusable('no address');
  if (profile === 'plain') {
    const keys = isKeyed ? { crypto: keysOf(section) } : {};
    return { profile, address, rtpPort: port, rtcpPort: rtcp?.port ?? port + 1, ...keys };
  }
  if (ice === undefined || fingerprint === undefined || setup === undefined)
    throw unusable('no ICE or DTLS parameters');
  return { profile, address, port, ice, fingerprint, setup, candidates };
}

function keysOf({ crypto = [] }: MediaSection): readonly SdpCrypto[] {
  const taken = crypto.filter(({ suite }) => commonSuites.includes(suite));
  if (taken.length === 0) throw unusable('no a=crypto');
  return taken;
}

function unusable(detail: string): SipFailure {
  return failure('media.failed', { detail: `rtpengine gave SDP that cannot be used: ${detail}` });
}
