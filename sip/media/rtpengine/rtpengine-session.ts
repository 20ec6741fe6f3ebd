import { failure, SipFailure, type FailureParty } from '../../failure.js';
import type { LocalTransport, MediaSection } from '../../sdp/description.js';
import { offeredStream } from '../../sdp/offered-streams.js';
import type { MediaEndOptions, MediaEndStats, MediaListener, MediaSession } from '../media-engine.js';
import type { CallFigures } from './call-figures.js';
import { describeEnd, readTransport } from './end-description.js';
import {
  isToldAnew,
  withAgreedKey,
  withSentNumbers,
  type AnsweredExchange,
  type Exchange,
  type ToldExchange,
} from './exchange.js';
import type { NgCall } from './ng-call.js';
import { RtpengineEnd } from './rtpengine-end.js';
import { restoredExchange, snapshotOf, type RtpengineSnapshot } from './session-snapshot.js';

/** As rtpengine is told of it. */
type NgAnswer = Pick<AnsweredExchange, 'ngAnswer' | 'crypto'>;

export interface RtpengineLimits {
  /** No packet in either direction for so long, while nobody is on hold, ends the session; 0: never. */
  readonly timeoutMs: number;
  /** How long a browser may send nothing before the session ends: time for it to come back with an ICE restart. */
  readonly restartGraceMs: number;
  /** How long to wait for the first packet of an end: early media may begin long before a phone is picked up. */
  readonly startMs: number;
  /** How long the instance may be down before its sessions end. */
  readonly lostAfterMs: number;
}

/**
 * {@link MediaSession} of rtpengine. The SDP of both ends is ours, written as for the embedded relay; rtpengine gets one
 * audio line each way and tells the addresses, ICE and DTLS parameters to write. An end's first offer is told to it at
 * once, since that lends the ports; a later one only with its answer, so that a refused one changes nothing
 * (RFC 3261 §14.1).
 */
export class RtpengineSession implements MediaSession {
  readonly #ends = new Map<string, RtpengineEnd>();
  /** By the callee's end: each callee has one exchange with the caller at a time. Removed with the end. */
  readonly #exchanges = new Map<string, Exchange>();
  #callerId: string | undefined;
  #told: ToldExchange | undefined;
  /** The exchange that media flows by. */
  #active: Exchange | undefined;
  #isClosed = false;
  #hasTimedOut = false;
  #idleMs = 0;
  /** Commands of one call go one after the other. */
  #last: Promise<unknown> = Promise.resolve();
  #ended: Promise<void> = Promise.resolve();

  constructor(
    readonly id: string,
    readonly call: NgCall,
    private readonly listener: MediaListener,
    private readonly limits: RtpengineLimits,
    private readonly onClose: (session: RtpengineSession) => void,
  ) {}

  get endCount(): number {
    return this.#ends.size;
  }

  /** After close: resolves when rtpengine has deleted the call, or has had its time to. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** True once media may flow: worth asking rtpengine about. */
  get isActive(): boolean {
    return this.#active !== undefined && !this.#isClosed;
  }

  snapshot(): RtpengineSnapshot | undefined {
    const { id, instance } = this.call;
    return snapshotOf({ id, instance: instance?.name, ends: [...this.#ends.values()] }, this.#active);
  }

  /** Goes on with the session that another process had; to be called before anything else. */
  restore(snapshot: RtpengineSnapshot): void {
    const ends = snapshot.ends.map((end) => RtpengineEnd.restored(this.id, end));
    for (const end of ends) this.#ends.set(end.id, end);
    this.#callerId = ends[0]?.id;
    const exchange = restoredExchange(snapshot, this.#ends);
    this.#exchanges.set(this.#calleeOf(exchange.offerer.id, exchange.answerer.id), exchange);
    const crypto = snapshot.exchange.answered.crypto;
    this.#told = { exchange, isKeyed: crypto !== undefined, tag: crypto?.tag };
    this.#active = exchange;
  }

  addEnd(endId: string, options: MediaEndOptions): void {
    if (this.#isClosed || this.#ends.has(endId))
      throw failure('media.failed', { detail: `end ${endId} cannot be added` });
    this.#callerId ??= endId;
    this.#ends.set(endId, new RtpengineEnd(this.id, endId, options));
  }

  removeEnd(endId: string): void {
    const end = this.#ends.get(endId);
    if (end === undefined || endId === this.#callerId) return;
    this.#ends.delete(endId);
    this.#exchanges.delete(endId);
    end.trace('ended');
    if (this.#active?.offerer === end || this.#active?.answerer === end) this.#active = undefined;
    void this.#inOrder(async () => this.call.forgetEnd(endId));
  }

  offer(fromEndId: string, toEndId: string, sdp: string): Promise<string> {
    return this.#inOrder(async () => {
      const [offerer, answerer] = [this.#end(fromEndId), this.#end(toEndId)];
      const calleeId = this.#calleeOf(fromEndId, toEndId);
      const received = unwrap(offerer.sdp.readOffer(sdp));
      const stream = unwrap(offeredStream(received, offerer.sdp, answerer.sdp));
      const ngOffer = describeEnd(offerer.profile, received.section, stream, received.crypto);
      const isFirst = answerer.local === undefined;
      const isKeyed = answerer.isOfferedKeys;
      answerer.local ??= await this.#tellOffer(offerer, answerer, ngOffer, isKeyed);
      this.#mustHave(offerer, answerer);
      const sent = answerer.sdp.writeOffer(stream, forOffer(answerer.local));
      const last = this.#exchanges.get(calleeId);
      const previous = last?.answered === undefined ? last?.previous : { ...last, previous: undefined };
      const exchange = { offerer, answerer, received, sent, ngOffer, previous, answered: undefined };
      this.#exchanges.set(calleeId, exchange);
      if (isFirst) this.#told = { exchange, isKeyed };
      answerer.trace('offered');
      return sent.text;
    });
  }

  answer(fromEndId: string, toEndId: string, sdp: string): Promise<string> {
    return this.#inOrder(async () => {
      const [answerer, offerer] = [this.#end(fromEndId), this.#end(toEndId)];
      const exchange = this.#exchanges.get(this.#calleeOf(fromEndId, toEndId));
      if (exchange === undefined || exchange.answerer !== answerer)
        throw failure('media.failed', { detail: `no offer was sent to ${fromEndId}` });
      if (exchange.answered?.text === sdp) {
        await this.#activate(exchange, exchange.answered);
        return exchange.answered.reply;
      }
      const party = this.#partyOf(answerer);
      const received = unwrap(answerer.sdp.readAnswer(sdp, exchange.sent, party));
      mustBeSameAssociation(answerer, received.section, party);
      const { stream, crypto } = received;
      const ngAnswer = describeEnd(answerer.profile, received.section, stream, crypto);
      const local = await this.#settle(exchange, { ngAnswer, crypto });
      this.#mustHave(offerer, answerer);
      const offer = withSentNumbers(exchange.received, stream.codecs);
      const reply = offerer.sdp.writeAnswer(offer, stream, local);
      offerer.sdp.agreeReceived(exchange.received, stream.codecs);
      answerer.sdp.agreeSent(exchange.sent);
      for (const end of [offerer, answerer]) end.codec = stream.codecs[0]?.name;
      [offerer.local, offerer.remote] = [local, exchange.received.section];
      answerer.remote = received.section;
      exchange.answered = { text: sdp, reply, ngAnswer, crypto, stream };
      this.#flowsBy(exchange);
      answerer.trace('answered');
      return reply;
    });
  }

  refuse(toEndId: string): void {
    for (const [calleeId, exchange] of this.#exchanges) {
      if (exchange.answerer.id !== toEndId || exchange.answered !== undefined) continue;
      if (exchange.previous === undefined) this.#exchanges.delete(calleeId);
      else this.#exchanges.set(calleeId, exchange.previous);
      exchange.answerer.trace('refused');
    }
  }

  stats(): readonly MediaEndStats[] {
    return [...this.#ends.values()].map((end) => end.stats);
  }

  async finalStats(): Promise<readonly MediaEndStats[]> {
    if (this.isActive) this.#observe(await this.call.figures().catch(() => undefined));
    return this.stats();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#active = undefined;
    for (const end of this.#ends.values()) end.trace('ended');
    this.#ends.clear();
    this.#exchanges.clear();
    // Behind whatever is still under way: the delete must be the last command.
    this.#ended = this.#inOrder(() => this.call.end());
    this.onClose(this);
  }

  /**
   * Looks for lost media: `figures` are new ones, undefined when rtpengine does not know the call any more. Tells the
   * listener once at most.
   */
  watch(figures: CallFigures | undefined, sinceMs: number): void {
    const exchange = this.#active;
    if (exchange?.answered === undefined || this.#hasTimedOut) return;
    if (figures === undefined)
      return this.lost(
        'rtpengine does not know the call any more: started again, or its --timeout was shorter',
      );
    const { direction } = exchange.answered.stream;
    const hasMoved = this.#observe(figures);
    const isQuiet = hasMoved.size === 0 && direction === 'sendrecv';
    this.#idleMs = isQuiet ? this.#idleMs + sinceMs : 0;
    const { timeoutMs, restartGraceMs, startMs } = this.limits;
    const ends = [exchange.offerer, exchange.answerer];
    const idleLimitMs = ends.some((end) => end.hasSent) ? timeoutMs : Math.max(timeoutMs, startMs);
    if (timeoutMs > 0 && this.#idleMs >= idleLimitMs)
      return this.#timedOut(exchange.answerer, `no packet in either direction for ${idleLimitMs} ms`);
    for (const end of ends) {
      // A browser sends all the time, muted or not; a PBX may be silent.
      const isMissed = end.profile === 'webrtc' && direction === 'sendrecv' && !hasMoved.has(end);
      end.quietMs = isMissed ? end.quietMs + sinceMs : 0;
      const limitMs = end.hasSent ? restartGraceMs : Math.max(restartGraceMs, startMs);
      if (end.quietMs >= limitMs) return this.#timedOut(end, `no packet from ${end.id} for ${limitMs} ms`);
    }
  }

  /** The instance is gone, or has forgotten the call. Tells the listener once at most. */
  lost(detail: string): void {
    if (this.#hasTimedOut || this.#isClosed) return;
    this.#hasTimedOut = true;
    this.listener.timeout(this.#callerId ?? '', failure('media.engine_lost', { detail }));
  }

  /** The ends that packets have come from since the last figures. */
  #observe(figures: CallFigures | undefined): Set<RtpengineEnd> {
    if (figures === undefined) return new Set();
    const moved = new Set([...this.#ends.values()].filter((end) => end.observe(figures)));
    const { offerer, answerer } = this.#active ?? {};
    if (offerer !== undefined && answerer !== undefined) {
      offerer.judgedBy(answerer, figures);
      answerer.judgedBy(offerer, figures);
    }
    return moved;
  }

  #timedOut(end: RtpengineEnd, detail: string): void {
    this.#hasTimedOut = true;
    this.listener.timeout(end.id, failure('media.timeout', { detail, party: this.#partyOf(end) }));
  }

  /** Our transport towards the answerer. */
  async #tellOffer(
    offerer: RtpengineEnd,
    answerer: RtpengineEnd,
    sdp: string,
    isKeyed: boolean,
  ): Promise<LocalTransport> {
    const isFirst = [...this.#ends.values()].every((end) => end.local === undefined);
    const told = await this.call.offer(offerer, answerer.at(answerer.remote, isKeyed), sdp, isFirst);
    return readTransport(answerer.profile, told, isKeyed);
  }

  /** Tells rtpengine of the answer, and of the offer when it does not know that yet. Our transport to the offerer. */
  async #settle(exchange: Exchange, answer: NgAnswer): Promise<LocalTransport> {
    try {
      return await this.#tell(exchange, answer);
    } catch (thrown) {
      await this.#goBack(exchange.previous);
      throw thrown;
    }
  }

  async #tell(exchange: Exchange, { ngAnswer, crypto }: NgAnswer): Promise<LocalTransport> {
    const { offerer, answerer, received, sent, ngOffer } = exchange;
    const isKeyed = crypto !== undefined;
    if (answerer.local === undefined || isToldAnew(this.#told, exchange, crypto))
      answerer.local = await this.#tellOffer(offerer, answerer, ngOffer, isKeyed);
    answerer.local = withAgreedKey(answerer.local, sent, crypto);
    this.#told = { exchange, isKeyed, tag: crypto?.tag };
    const isOffererKeyed = received.crypto !== undefined;
    const to = offerer.at(received.section, isOffererKeyed);
    const told = await this.call.answer(to, answerer, ngAnswer);
    return readTransport(offerer.profile, told, isOffererKeyed);
  }

  /** After a re-offer that rtpengine took by half: what held before holds again. */
  async #goBack(previous: Exchange | undefined): Promise<void> {
    if (previous?.answered === undefined) return;
    try {
      await this.#tell(previous, previous.answered);
    } catch {
      // The watch finds out whether the call still has media.
    }
  }

  /** Media flows by this exchange from now on: rtpengine is told again when another callee's was the last. */
  async #activate(exchange: Exchange, answered: AnsweredExchange): Promise<void> {
    if (this.#active === exchange) return;
    await this.#tell(exchange, answered);
    this.#flowsBy(exchange);
  }

  #flowsBy(exchange: Exchange): void {
    this.#active = exchange;
    this.#idleMs = 0;
    for (const end of this.#ends.values()) end.quietMs = 0;
  }

  #inOrder<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#last.then(act);
    this.#last = done.catch(() => undefined);
    return done;
  }

  #end(endId: string): RtpengineEnd {
    const end = this.#ends.get(endId);
    if (end === undefined) throw failure('media.failed', { detail: `the media session has no end ${endId}` });
    return end;
  }

  /** After a wait: the ends may have been removed meanwhile. */
  #mustHave(...ends: readonly RtpengineEnd[]): void {
    for (const end of ends) this.#end(end.id);
  }

  #partyOf(end: RtpengineEnd): 'caller' | 'callee' {
    return end.id === this.#callerId ? 'caller' : 'callee';
  }

  #calleeOf(oneId: string, otherId: string): string {
    if (oneId === this.#callerId) return otherId;
    if (otherId === this.#callerId) return oneId;
    throw failure('media.failed', { detail: `neither ${oneId} nor ${otherId} is the caller's end` });
  }
}

function unwrap<T>(result: T | SipFailure): T {
  if (result instanceof SipFailure) throw result;
  return result;
}

/** Every offer of ours leaves the DTLS role to the end (RFC 8842 §5.2). */
function forOffer(local: LocalTransport): LocalTransport {
  return local.profile === 'plain' ? local : { ...local, setup: 'actpass' };
}

/** Only an offer may restart ICE or DTLS (RFC 8839 §4.4.1.1.1); rtpengine would restart alone. */
function mustBeSameAssociation({ remote }: RtpengineEnd, section: MediaSection, party: FailureParty): void {
  if (remote?.ice === undefined) return;
  const isSame =
    remote.ice.ufrag === section.ice?.ufrag &&
    remote.ice.pwd === section.ice.pwd &&
    remote.fingerprint?.value === section.fingerprint?.value;
  if (isSame) return;
  throw failure('media.failed', { detail: 'the answer belongs to another ICE or DTLS association', party });
}
