import type { SdpCodec, StreamDescription } from '../../sdp/description.js';
import type { ReceivedDescription, SentOffer } from '../../sdp/offer-answer.js';
import { payloadMap, renumber } from '../../sdp/payload-types.js';
import { eventsOf } from './event-codecs.js';
import type { RelayEnd } from './relay-end.js';

/** One offer that was passed from end to end, and its answer once there is one (RFC 3264). */
export interface Exchange {
  readonly offerer: RelayEnd;
  readonly answerer: RelayEnd;
  /** The offerer's offer. */
  readonly received: ReceivedDescription;
  /** What the answerer got of it. */
  readonly sent: SentOffer;
  /** The answered exchange that holds while this one is open, and again when it is refused. */
  readonly previous: Exchange | undefined;
  answered: AnsweredExchange | undefined;
}

export interface AnsweredExchange {
  /** The answer as it came; the same text again gets the same reply. */
  readonly text: string;
  readonly reply: string;
  /** What was agreed on, with the answerer's payload types. */
  readonly stream: StreamDescription;
  /** The codecs of the reply, with whatever payload types. */
  readonly replied: readonly SdpCodec[];
  /** The video that was agreed on, with the answerer's payload types; undefined: none. */
  readonly video: StreamDescription | undefined;
}

/** True while the exchange may have video, or has it. */
export function hasVideo({ sent, answered }: Exchange): boolean {
  return answered === undefined ? sent.video !== undefined : answered.video !== undefined;
}

/** Lets media flow both ways as the exchange agreed. */
export function openLanes(exchange: Exchange, answered: AnsweredExchange): void {
  const { offerer, answerer, received, sent } = exchange;
  const { codecs } = answered.stream;
  // The offerer sends what our answer names, with its own numbers. The answerer should use our offer's numbers
  // (RFC 3264 §6.1); one that sends its own is understood as well.
  const offererCodecs = renumber(answered.replied, received.stream.codecs);
  const answererCodecs: readonly SdpCodec[] = [...codecs, ...renumber(codecs, sent.stream.codecs)];
  offerer.lane.open(answerer.transport, payloadMap(offererCodecs, codecs), offererCodecs, answerer.lane);
  answerer.lane.open(
    offerer.transport,
    payloadMap(answererCodecs, offererCodecs),
    answererCodecs,
    offerer.lane,
  );
  offerer.lane.writer.aim(eventsOf(codecs));
  answerer.lane.writer.aim(eventsOf(offererCodecs));
  offerer.lane.reader.expect(answerer.isSignalled ? eventsOf(offererCodecs) : []);
  answerer.lane.reader.expect(offerer.isSignalled ? eventsOf(answererCodecs) : []);
  openVideoLanes(exchange, answered.video?.codecs ?? []);
}

function openVideoLanes({ offerer, answerer, received, sent }: Exchange, codecs: readonly SdpCodec[]): void {
  const [own, offered] = [received.video?.stream.codecs, sent.video?.stream.codecs];
  if (codecs.length === 0 || own === undefined || offered === undefined) return;
  const offererCodecs = renumber(codecs, own);
  const answererCodecs = [...codecs, ...renumber(codecs, offered)];
  const [toAnswerer, toOfferer] = [offerer.videoLane, answerer.videoLane];
  toAnswerer.open(answerer.videoTransport, payloadMap(offererCodecs, codecs), toOfferer);
  toOfferer.open(offerer.videoTransport, payloadMap(answererCodecs, offererCodecs), toAnswerer);
}
