import type { TrunkConfig } from '../../../gateway/config/config.js';
import type { TestBrowser } from '../chromium.js';
import { BaresipPeer, type BaresipPeerOptions } from './baresip-peer.js';
import type { MatrixPeer } from './peer.js';
import { ScriptedPeer } from './scripted-peer.js';
import { SippPeer } from './sipp-peer.js';
import type { EngineName, Reasons } from './steps.js';

/** Where the programs are that take part. */
export interface PeerPrograms {
  readonly baresip: string;
  readonly rtpengine: string;
  readonly sipp: string;
}

/** Peers that one gateway has trunks to, with what their trunks say of media. */
export interface PeerGroup {
  readonly peers: readonly MatrixPeer[];
  readonly media: Partial<TrunkConfig['media']>;
  /** What the engine cannot do, with the reason. */
  readonly cannot: Reasons;
}

const scriptedHz = 700;
const [pcmu, pcma, opus] = [
  { codecs: ['PCMU', 'PCMA'], number: '200', hz: 800 },
  { codecs: ['PCMA', 'PCMU'], number: '201', hz: 900 },
  { codecs: ['opus', 'PCMU'], number: '202', hz: 1_000 },
] as const;

/** What is on the other side of the rows of an engine: without one that translates SDP it must speak WebRTC itself. */
export async function groupsOf(
  engine: EngineName,
  browser: TestBrowser,
  { baresip, sipp }: PeerPrograms,
): Promise<readonly PeerGroup[]> {
  const phone = (name: string, options: Omit<BaresipPeerOptions, 'program' | 'name'>): Promise<MatrixPeer> =>
    BaresipPeer.start({ program: baresip, name: `baresip: ${name}`, ...options });
  const media = 'WebRTC';
  if (engine === 'passthrough') {
    const peers = await Promise.all([
      ScriptedPeer.webrtc(browser, '100', scriptedHz),
      phone('PCMU, ICE, DTLS', { ...pcmu, media }),
      phone('PCMA, ICE, DTLS', { ...pcma, media }),
      phone('opus, ICE, DTLS', { ...opus, media }),
    ]);
    return [{ peers, media: {}, cannot: {} }];
  }
  const peers = await Promise.all([
    ScriptedPeer.plain('100', scriptedHz),
    SippPeer.create(sipp, '300'),
    phone('PCMU', pcmu),
    phone('PCMA', pcma),
    phone('opus', opus),
  ]);
  if (engine === 'rtpengine') {
    const keyed = await phone('PCMU, SRTP (SDES)', { ...pcmu, number: '204', media: 'SDES' });
    const cannot = { video: 'rtpengine carries audio alone' };
    return [
      { peers, media: {}, cannot },
      { peers: [keyed], media: { srtp: 'required' }, cannot },
    ];
  }
  const pictured = await phone('PCMU, VP8', { ...pcmu, number: '203', video: true });
  return [{ peers: [...peers, pictured], media: { video: ['VP8'] }, cannot: {} }];
}

/** Peers that an engine cannot have, with the reason. */
export const absentOf: Readonly<Record<EngineName, readonly (readonly [string, string])[]>> = {
  relay: [['baresip: PCMU, SRTP (SDES)', 'the relay has no SRTP towards trunks, and answers 488']],
  rtpengine: [],
  passthrough: [],
};
