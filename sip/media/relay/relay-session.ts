import { failure, SipFailure, toFailure } from '../../failure.js';
import { offeredStream } from '../../sdp/offered-streams.js';
import type {
  DtmfTone,
  MediaEndOptions,
  MediaEndStats,
  MediaListener,
  MediaSession,
} from '../media-engine.js';
import { codecsToAnswer, codecsToOffer } from './event-codecs.js';
import { hasVideo, openLanes, type AnsweredExchange, type Exchange } from './exchange.js';
import { RelayEnd, type RelayResources } from './relay-end.js';
import { aimVideo, answerVideo, openVideo } from './video-lines.js';

export interface RelayLimits {
  /** No packet in either direction for so long, while nobody is on hold, ends the session; 0: never. */
  readonly timeoutMs: number;
  /** How long a browser's transport may be down before the session ends: time for it to come back with an ICE restart. */
  readonly restartGraceMs: number;
  /** How long to wait for the first packet: early media may be agreed on long before a phone is picked up. */
  readonly startMs: number;
}

/** {@link MediaSession} of the embedded relay. Offers change nothing until they are answered. */
export class RelaySession implements MediaSession {
  readonly #ends = new Map<string, RelayEnd>();
  /** By the callee's end: each callee has one exchange with the caller at a time. Removed with the end. */
  readonly #exchanges = new Map<string, Exchange>();
  #callerId: string | undefined;
  /** The exchange that media flows by. */
  #active: Exchange | undefined;
  #isClosed = false;
  #offersUnderWay = 0;
  #packetsSeen = 0;
  #idleMs = 0;
  #downMs = 0;
  #hasTimedOut = false;

  constructor(
    readonly id: string,
    private readonly listener: MediaListener,
    private readonly limits: RelayLimits,
    private readonly resources: RelayResources,
    private readonly onClose: (session: RelaySession) => void,
  ) {}

  get endCount(): number {
    return this.#ends.size;
  }

  addEnd(endId: string, options: MediaEndOptions): void {
    if (this.#isClosed || this.#ends.has(endId))
      throw failure('media.failed', { detail: `end ${endId} cannot be added` });
    this.#callerId ??= endId;
    const heard = (tone: DtmfTone): void => this.listener.dtmf?.(endId, tone);
    this.#ends.set(endId, new RelayEnd(this.id, endId, options, this.resources, heard));
  }

  removeEnd(endId: string): void {
    const end = this.#ends.get(endId);
    if (end === undefined || endId === this.#callerId) return;
    this.#ends.delete(endId);
    this.#exchanges.delete(endId);
    end.close();
    this.#freeVideo();
    if (this.#active?.offerer !== end && this.#active?.answerer !== end) return;
    this.#cutLanes();
    this.#active = undefined;
  }

  async offer(fromEndId: string, toEndId: string, sdp: string): Promise<string> {
    this.#offersUnderWay += 1;
    try {
      return await this.#offer(fromEndId, toEndId, sdp);
    } finally {
      this.#offersUnderWay -= 1;
    }
  }

  async #offer(fromEndId: string, toEndId: string, sdp: string): Promise<string> {
    const [offerer, answerer] = [this.#end(fromEndId), this.#end(toEndId)];
    const calleeId = this.#calleeOf(fromEndId, toEndId);
    const received = offerer.sdp.readOffer(sdp);
    if (received instanceof SipFailure) throw received;
    const shared = offeredStream(received, offerer.sdp, answerer.sdp);
    if (shared instanceof SipFailure) throw shared;
    const stream = { ...shared, codecs: codecsToOffer(shared.codecs, offerer, answerer) };
    const [local] = await Promise.all([answerer.transport.prepareOffer(), offerer.transport.reserve()]);
    this.#mustHave(offerer, answerer);
    const video = await openVideo(received, offerer, answerer, local);
    this.#mustHave(offerer, answerer);
    const sent = answerer.sdp.writeOffer(stream, local, video);
    const last = this.#exchanges.get(calleeId);
    const previous = last?.answered === undefined ? last?.previous : { ...last, previous: undefined };
    this.#exchanges.set(calleeId, { offerer, answerer, received, sent, previous, answered: undefined });
    answerer.trace('offered');
    return sent.text;
  }

  async answer(fromEndId: string, toEndId: string, sdp: string): Promise<string> {
    const [answerer, offerer] = [this.#end(fromEndId), this.#end(toEndId)];
    const exchange = this.#exchanges.get(this.#calleeOf(fromEndId, toEndId));
    if (exchange === undefined || exchange.answerer !== answerer) {
      throw failure('media.failed', { detail: `no offer was sent to ${fromEndId}` });
    }
    if (exchange.answered?.text === sdp) {
      answerer.reopen();
      offerer.reopen();
      this.#activate(exchange, exchange.answered);
      return exchange.answered.reply;
    }
    const party = fromEndId === this.#callerId ? 'caller' : 'callee';
    const received = answerer.sdp.readAnswer(sdp, exchange.sent, party);
    if (received instanceof SipFailure) throw received;
    const local = await offerer.transport.prepareAnswer(exchange.received.section);
    this.#mustHave(offerer, answerer);
    const video = await answerVideo(exchange, received, local);
    try {
      this.#mustHave(offerer, answerer);
      answerer.transport.applyAnswer(received.section);
      offerer.transport.applyOffer(exchange.received.section);
      aimVideo(exchange, received);
    } catch (thrown) {
      offerer.transport.abandon();
      throw toFailure(thrown);
    }
    const { stream } = received;
    const offered = exchange.received.stream.codecs;
    const replied = codecsToAnswer(stream.codecs, offered, offerer, answerer);
    const reply = offerer.sdp.writeAnswer(exchange.received, { ...stream, codecs: replied }, local, video);
    offerer.sdp.agreeReceived(exchange.received, replied, video?.stream.codecs);
    answerer.sdp.agreeSent(exchange.sent);
    const answered = { text: sdp, reply, stream, replied, video: video?.stream };
    exchange.answered = answered;
    this.#activate(exchange, answered);
    this.#freeVideo();
    answerer.trace('answered');
    return reply;
  }

  refuse(toEndId: string): void {
    for (const [calleeId, exchange] of this.#exchanges) {
      if (exchange.answerer.id !== toEndId || exchange.answered !== undefined) continue;
      if (exchange.previous === undefined) this.#exchanges.delete(calleeId);
      else this.#exchanges.set(calleeId, exchange.previous);
      exchange.answerer.trace('refused');
    }
    this.#freeVideo();
  }

  renewPath(endId: string): void {
    this.#ends.get(endId)?.transport.renew?.();
  }

  sendDtmf(endId: string, tone: DtmfTone): Promise<boolean> {
    const { offerer, answerer } = this.#active ?? {};
    const from = offerer?.id === endId ? answerer : answerer?.id === endId ? offerer : undefined;
    return Promise.resolve(from?.lane.insert(tone) ?? false);
  }

  stats(): readonly MediaEndStats[] {
    return [...this.#ends.values()].map((end) => end.stats);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const end of this.#ends.values()) end.close();
    this.#ends.clear();
    this.#exchanges.clear();
    this.#active = undefined;
    this.onClose(this);
  }

  /** Looks for lost media; called every `periodMs`. Tells the listener once at most. */
  watch(periodMs: number): void {
    const exchange = this.#active;
    if (exchange?.answered === undefined || this.#hasTimedOut) return;
    const packets = exchange.offerer.lane.packetsReceived + exchange.answerer.lane.packetsReceived;
    const isQuiet = packets === this.#packetsSeen && exchange.answered.stream.direction === 'sendrecv';
    this.#packetsSeen = packets;
    this.#idleMs = isQuiet ? this.#idleMs + periodMs : 0;
    const down = [exchange.offerer, exchange.answerer].find((end) => end.transport.isDown);
    this.#downMs = down === undefined ? 0 : this.#downMs + periodMs;
    const { timeoutMs, restartGraceMs, startMs } = this.limits;
    const idleLimitMs = packets > 0 ? timeoutMs : Math.max(timeoutMs, startMs);
    const downLimitMs = down?.hasSent === true ? restartGraceMs : Math.max(restartGraceMs, startMs);
    if (down !== undefined && this.#downMs >= downLimitMs) {
      const state = down.hasSent ? 'is lost' : 'has never come up';
      this.#timedOut(down, `the media connection of ${down.id} ${state}`);
    } else if (timeoutMs > 0 && this.#idleMs >= idleLimitMs) {
      this.#timedOut(exchange.answerer, `no packet in either direction for ${idleLimitMs} ms`);
    }
  }

  #timedOut(end: RelayEnd, detail: string): void {
    this.#hasTimedOut = true;
    const party = end.id === this.#callerId ? 'caller' : 'callee';
    this.listener.timeout(end.id, failure('media.timeout', { detail, party }));
  }

  #activate(exchange: Exchange, answered: AnsweredExchange): void {
    this.#cutLanes();
    openLanes(exchange, answered);
    this.#active = exchange;
    this.#idleMs = 0;
  }

  #cutLanes(): void {
    for (const { lane, videoLane } of this.#ends.values()) {
      lane.cut();
      videoLane.cut();
    }
  }

  /** The ports of video that no exchange has any more are given back. An offer that takes some just now is left alone. */
  #freeVideo(): void {
    if (this.#offersUnderWay > 0) return;
    const needed = new Set<RelayEnd>();
    for (const exchange of this.#exchanges.values()) {
      const { previous } = exchange;
      const holds =
        exchange.answered === undefined && previous !== undefined ? [exchange, previous] : [exchange];
      for (const one of holds) if (hasVideo(one)) needed.add(one.offerer).add(one.answerer);
    }
    for (const end of this.#ends.values()) if (!needed.has(end)) end.closeVideo();
  }

  #end(endId: string): RelayEnd {
    const end = this.#ends.get(endId);
    if (end === undefined) throw failure('media.failed', { detail: `the media session has no end ${endId}` });
    return end;
  }

  /** After a wait: the ends may have been removed meanwhile. */
  #mustHave(...ends: readonly RelayEnd[]): void {
    for (const end of ends) this.#end(end.id);
  }

  #calleeOf(oneId: string, otherId: string): string {
    if (oneId === this.#callerId) return otherId;
    if (otherId === this.#callerId) return oneId;
    throw failure('media.failed', { detail: `neither ${oneId} nor ${otherId} is the caller's end` });
  }
}
