import type { TestBrowser } from '../chromium.js';
import { BaresipPeer } from './baresip-peer.js';
import type { MatrixPeer } from './peer.js';
import { ScriptedPeer } from './scripted-peer.js';
import type { EngineName } from './steps.js';

/** Where the programs are that take part. */
export interface PeerPrograms {
  readonly baresip: string;
  readonly rtpengine: string;
  readonly sipp: string;
}

const codecPairs = [
  ['PCMU', 'PCMA'],
  ['PCMA', 'PCMU'],
  ['opus', 'PCMU'],
] as const;
const scriptedHz = 700;
const baresipHz = [800, 900, 1_000] as const;

/** What is on the other side of the rows of an engine: without one that translates SDP it must speak WebRTC itself. */
export async function peersOf(
  engine: EngineName,
  browser: TestBrowser,
  { baresip }: PeerPrograms,
): Promise<readonly MatrixPeer[]> {
  const scripted =
    engine === 'passthrough'
      ? ScriptedPeer.webrtc(browser, '100', scriptedHz)
      : ScriptedPeer.plain('100', scriptedHz);
  const phones = codecPairs.map((codecs, index) =>
    BaresipPeer.start({
      program: baresip,
      name: engine === 'passthrough' ? `baresip: ${codecs[0]}, ICE, DTLS` : `baresip: ${codecs[0]}`,
      number: `${200 + index}`,
      hz: baresipHz[index] ?? 0,
      codecs,
      ...(engine === 'passthrough' ? { media: 'WebRTC' as const } : {}),
    }),
  );
  return Promise.all([scripted, ...phones]);
}
