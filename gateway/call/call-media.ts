import { failure, type SipFailure } from '../../sip/failure.js';
import type { LegSide } from '../../sip/leg.js';
import {
  browserEnd,
  type DtmfTone,
  type MediaEndStats,
  type MediaEngine,
  type MediaListener,
  type MediaSession,
} from '../../sip/media/media-engine.js';
import type { CallSnapshot } from './call-snapshot.js';
import type { CallSource, CalleeTarget } from './ports.js';

/** The two engines that a call may use. */
export interface CallMediaEngines {
  readonly anchoredMedia: MediaEngine;
  readonly browserMedia: MediaEngine;
}

/** The media session of one call, opened when the first target is known and closed with the call. */
export class CallMedia {
  #session: MediaSession | undefined;
  /** What each leg has said last and before: the generations that its candidates may be of. Removed with the end. */
  readonly #said = new Map<string, readonly string[]>();
  /** The last offer of each leg that could be translated. Removed with the end. */
  readonly #offered = new Map<string, string>();
  /** What each leg has said in the last exchange that was answered. Removed with the end. */
  readonly #agreed = new Map<string, string>();
  #hear: (endId: string, tone: DtmfTone) => void = () => undefined;

  constructor(
    private readonly callId: string,
    private readonly callerId: string,
    private readonly source: CallSource,
    private readonly engines: CallMediaEngines,
    private readonly lost: (failure: SipFailure) => void,
  ) {}

  /** Adds the end of a new callee leg and returns the offer for it; undefined when the caller made none (late offer). */
  async offerTo(legId: string, target: CalleeTarget, sdp: string | undefined): Promise<string | undefined> {
    const session = this.#open(target);
    session.addEnd(legId, target.media);
    if (sdp === undefined) return undefined;
    return this.offer(this.callerId, legId, sdp);
  }

  async offer(fromId: string, toId: string, sdp: string): Promise<string> {
    this.#note(fromId, sdp);
    const offer = await this.#opened().offer(fromId, toId, sdp);
    this.#offered.set(fromId, sdp);
    return offer;
  }

  async answer(fromId: string, toId: string, sdp: string): Promise<string> {
    this.#note(fromId, sdp);
    const answer = await this.#opened().answer(fromId, toId, sdp);
    this.#agreed.set(fromId, sdp);
    const offered = this.#offered.get(toId);
    if (offered !== undefined) this.#agreed.set(toId, offered);
    return answer;
  }

  /** How many packets have come from a leg; undefined when its media is not ours to see. Never rejects. */
  async packetsFrom(legId: string): Promise<number | undefined> {
    const session = this.#session;
    const stats = await (session?.finalStats?.() ?? session?.stats());
    return stats?.find(({ endId }) => endId === legId)?.packetsReceived;
  }

  /** The next offer to the leg, a browser's, asks for a new network path. */
  renewPath(legId: string): void {
    this.#session?.renewPath?.(legId);
  }

  refuse(toId: string): void {
    this.#session?.refuse(toId);
  }

  removeEnd(legId: string): void {
    for (const sdps of [this.#said, this.#offered, this.#agreed]) sdps.delete(legId);
    this.#session?.removeEnd(legId);
  }

  /** True when descriptions pass from end to end: the ends then need each other's candidates. */
  get isDirect(): boolean {
    return this.#session?.passFragment !== undefined;
  }

  /** What a leg has said in the last exchange that was answered; undefined until there was one. */
  agreedOf(legId: string): string | undefined {
    return this.#agreed.get(legId);
  }

  /** The leg goes by this description of its again: what it has said since came to nothing. */
  agree(legId: string, sdp: string): void {
    this.#agreed.set(legId, sdp);
  }

  /** The last two descriptions of a leg. */
  descriptionsOf(legId: string): readonly string[] {
    return this.#said.get(legId) ?? [];
  }

  /** A trickle fragment as the other end may see it. */
  passFragment(fragment: string): string {
    return this.#session?.passFragment?.(fragment) ?? fragment;
  }

  /** Tones that a leg sends in RTP, for another whose DTMF is in signalling, are told to `hear`. */
  hearTones(hear: (endId: string, tone: DtmfTone) => void): void {
    this.#hear = hear;
  }

  /** Sends a tone to a leg in RTP; resolves with false when the engine cannot. */
  async sendDtmf(toId: string, tone: DtmfTone): Promise<boolean> {
    return (await this.#session?.sendDtmf?.(toId, tone)) ?? false;
  }

  /** What another process needs to go on with the session; undefined when the engine's media ends with this process. */
  snapshot(): unknown {
    return this.#session?.snapshot?.();
  }

  /** Goes on with the session of an earlier process. Throws `media.failed` when the engine cannot. */
  restore({
    source,
    caller,
    callee,
    media,
  }: Pick<CallSnapshot, 'source' | 'caller' | 'callee' | 'media'>): void {
    const engine = this.#engineFor(source.side, callee.side);
    if (engine.restoreSession === undefined)
      throw failure('media.failed', { detail: `media of ${engine.name} ends with its process` });
    this.#session = engine.restoreSession(media, this.#listener);
    for (const { legId, dialog, said } of [caller, callee]) {
      const last = dialog.side === 'trunk' ? dialog.remoteSdp : said;
      if (last === undefined) continue;
      this.#note(legId, last);
      this.#agreed.set(legId, last);
    }
  }

  /** Closes a session that nobody has used. */
  discard(): void {
    this.#session?.close();
    this.#session = undefined;
    this.#forget();
  }

  /** Closes the session; resolves with its last figures. */
  async close(): Promise<readonly MediaEndStats[]> {
    const session = this.#session;
    if (session === undefined) return [];
    const stats = session.finalStats === undefined ? session.stats() : await session.finalStats();
    this.#forget();
    session.close();
    return stats;
  }

  #forget(): void {
    for (const sdps of [this.#said, this.#offered, this.#agreed]) sdps.clear();
  }

  #note(legId: string, sdp: string): void {
    const [last] = this.#said.get(legId) ?? [];
    if (last !== sdp) this.#said.set(legId, last === undefined ? [sdp] : [sdp, last]);
  }

  #opened(): MediaSession {
    if (this.#session === undefined)
      throw failure('media.failed', { detail: 'the call has no media session' });
    return this.#session;
  }

  #open(target: CalleeTarget): MediaSession {
    if (this.#session !== undefined) return this.#session;
    const engine = this.#engineFor(this.source.side, target.side);
    const session = engine.createSession(this.callId, this.#listener);
    session.addEnd(this.callerId, this.source.side === 'browser' ? browserEnd : this.source.media);
    this.#session = session;
    return session;
  }

  #engineFor(caller: LegSide, callee: LegSide): MediaEngine {
    const direct = caller === 'browser' && callee === 'browser';
    return direct ? this.engines.browserMedia : this.engines.anchoredMedia;
  }

  get #listener(): MediaListener {
    return {
      timeout: (_endId, failed) => this.lost(failed),
      dtmf: (endId, tone) => this.#hear(endId, tone),
    };
  }
}
