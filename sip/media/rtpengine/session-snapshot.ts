import { failure } from '../../failure.js';
import type { AnsweredExchange, Exchange } from './exchange.js';
import type { RtpengineEnd, RtpengineEndSnapshot } from './rtpengine-end.js';

/** Another one for every change of what follows: a process does not go on with what it cannot know. */
const format = 1;

/** A session whose media flows, in plain values. The caller's end comes first. */
export interface RtpengineSnapshot {
  readonly format: typeof format;
  /** The call id in rtpengine. */
  readonly callId: string;
  /** `host:port` */
  readonly instance: string;
  readonly ends: readonly RtpengineEndSnapshot[];
  /** The exchange that media flows by; its ends by id. */
  readonly exchange: Pick<Exchange, 'received' | 'sent' | 'ngOffer'> & {
    readonly offererId: string;
    readonly answererId: string;
    readonly answered: AnsweredExchange;
  };
}

/** Undefined while no media flows. */
export function snapshotOf(
  session: {
    readonly id: string;
    readonly instance: string | undefined;
    readonly ends: readonly RtpengineEnd[];
  },
  active: Exchange | undefined,
): RtpengineSnapshot | undefined {
  const { id: callId, instance, ends } = session;
  if (instance === undefined || active?.answered === undefined) return undefined;
  const { offerer, answerer, received, sent, ngOffer, answered } = active;
  return {
    format,
    callId,
    instance,
    ends: ends.map((end) => end.snapshot()),
    exchange: { received, sent, ngOffer, answered, offererId: offerer.id, answererId: answerer.id },
  };
}

/** The exchange of a snapshot between ends that are restored. Throws `media.failed` when one of them is missing. */
export function restoredExchange(
  { exchange }: RtpengineSnapshot,
  ends: ReadonlyMap<string, RtpengineEnd>,
): Exchange {
  const { received, sent, ngOffer, answered, offererId, answererId } = exchange;
  const [offerer, answerer] = [ends.get(offererId), ends.get(answererId)];
  if (offerer === undefined || answerer === undefined)
    throw failure('media.failed', { detail: 'the snapshot lacks an end' });
  return { offerer, answerer, received, sent, ngOffer, answered, previous: undefined };
}

/** Whether a value that was stored is a snapshot of this format. */
export function isSnapshot(value: unknown): value is RtpengineSnapshot {
  if (typeof value !== 'object' || value === null) return false;
  const { format: written, callId, instance, ends, exchange } = value as Readonly<Record<string, unknown>>;
  const isComplete = typeof callId === 'string' && typeof instance === 'string' && Array.isArray(ends);
  return written === format && isComplete && typeof exchange === 'object' && exchange !== null;
}
