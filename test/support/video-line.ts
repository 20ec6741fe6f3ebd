import type { MediaEngine, MediaSession } from '../../sip/media/media-engine.js';
import type { CallPage, OfferChange } from './call-page.js';
import type { TimeoutRecord } from './media-session.js';

/** What happens to a description on its way. */
export type OnTheWay = (sdp: string) => string;

const unchanged: OnTheWay = (sdp) => sdp;

const video = ['VP8', 'H264'] as const;

/**
 * A call between two pages over one media session, or over two with plain RTP between them: what the second session is
 * to the first one is a PBX.
 */
export class VideoLine {
  private constructor(
    private readonly sessions: readonly MediaSession[],
    private readonly pages: readonly [CallPage, CallPage],
  ) {}

  /** Browser to browser. */
  static direct(
    engine: MediaEngine,
    listener: TimeoutRecord,
    pages: readonly [CallPage, CallPage],
  ): VideoLine {
    const session = engine.createSession('c_video', listener);
    session.addEnd('l_caller', { profile: 'webrtc', video });
    session.addEnd('l_callee', { profile: 'webrtc', video });
    return new VideoLine([session], pages);
  }

  /** Browser to PBX; `taken`: the video codecs of the trunk. */
  static overPlain(
    engine: MediaEngine,
    listener: TimeoutRecord,
    pages: readonly [CallPage, CallPage],
    taken: readonly string[] = video,
  ): VideoLine {
    const [near, far] = [engine.createSession('c_near', listener), engine.createSession('c_far', listener)];
    near.addEnd('l_caller', { profile: 'webrtc', video });
    near.addEnd('l_callee', { profile: 'plain', codecs: ['PCMU'], video: taken });
    far.addEnd('l_caller', { profile: 'plain', codecs: ['PCMU'], video });
    far.addEnd('l_callee', { profile: 'webrtc', video });
    return new VideoLine([near, far], pages);
  }

  /** The page that called offers, or the other one when `isBack`. Resolves with the answer that it gets. */
  async exchange(change: OfferChange = {}, isBack = false, answerOnWay = unchanged): Promise<string> {
    const [from, to] = isBack ? (['l_callee', 'l_caller'] as const) : (['l_caller', 'l_callee'] as const);
    const [offerer, answerer] = isBack ? [this.pages[1], this.pages[0]] : this.pages;
    const way = isBack ? [...this.sessions].reverse() : this.sessions;
    let sdp = await offerer.offer(change);
    for (const session of way) sdp = await session.offer(from, to, sdp);
    sdp = answerOnWay(await answerer.answer(sdp));
    for (const session of [...way].reverse()) sdp = await session.answer(to, from, sdp);
    await offerer.settle(sdp);
    return sdp;
  }

  close(): void {
    for (const session of this.sessions) session.close();
  }
}
