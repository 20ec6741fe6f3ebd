import type { MediaQuality } from '../media-engine.js';
import type { NgDictionary, NgValue } from './ng-codec.js';

/** What rtpengine has counted of one end's packets. */
export interface EndFigures {
  /** RTP and RTCP packets received from the end. */
  readonly packets: number;
  readonly bytes: number;
  /** Packets that could not be used: wrong source, failed authentication. */
  readonly errors: number;
  readonly ssrcs: readonly string[];
}

/** One call in the answer to `query` or `delete`. */
export interface CallFigures {
  /** By tag: the ends. */
  readonly ends: ReadonlyMap<string, EndFigures>;
  /** By the SSRC, in decimal, that sent the receiver reports: how it got the other end's packets. */
  readonly reports: ReadonlyMap<string, MediaQuality>;
}

/** Reads what is there; what is missing or of another type counts as nothing. Never throws. */
export function readFigures(answer: NgDictionary): CallFigures {
  const ends = new Map<string, EndFigures>();
  for (const [tag, value] of entriesOf(answer.get('tags'))) ends.set(tag, readEnd(value));
  const reports = new Map<string, MediaQuality>();
  for (const [ssrc, value] of entriesOf(answer.get('SSRC'))) {
    const quality = readReports(value);
    if (quality !== undefined) reports.set(ssrc, quality);
  }
  return { ends, reports };
}

function readEnd(value: NgValue): EndFigures {
  let [packets, bytes, errors] = [0, 0, 0];
  const ssrcs = new Set<string>();
  for (const media of itemsOf(entryOf(value, 'medias'))) {
    for (const stream of itemsOf(entryOf(media, 'streams'))) {
      const stats = entryOf(stream, 'stats');
      packets += numberOf(entryOf(stats, 'packets'));
      bytes += numberOf(entryOf(stats, 'bytes'));
      errors += numberOf(entryOf(stats, 'errors'));
      const ssrc = entryOf(stream, 'SSRC');
      if (typeof ssrc === 'number') ssrcs.add(String(ssrc));
    }
  }
  return { packets, bytes, errors, ssrcs: [...ssrcs] };
}

/**
 * MOS comes times ten, the round-trip time (of both legs together) in microseconds. `cumulative loss` is left: rtpengine
 * 10.5 tells 0 there for streams that it does not transcode.
 */
function readReports(value: NgValue): MediaQuality | undefined {
  const average = entryOf(value, 'average MOS');
  if (!(average instanceof Map)) return undefined;
  return {
    packetLoss: numberOf(entryOf(average, 'packet loss')),
    jitterMs: numberOf(entryOf(average, 'jitter')),
    roundTripMs: numberOf(entryOf(average, 'round-trip time')) / 1_000,
    mos: numberOf(entryOf(average, 'MOS')) / 10,
  };
}

function entryOf(value: NgValue | undefined, key: string): NgValue | undefined {
  return value instanceof Map ? (value as NgDictionary).get(key) : undefined;
}

function entriesOf(value: NgValue | undefined): Iterable<[string, NgValue]> {
  return value instanceof Map ? (value as NgDictionary).entries() : [];
}

function itemsOf(value: NgValue | undefined): readonly NgValue[] {
  return Array.isArray(value) ? (value as readonly NgValue[]) : [];
}

function numberOf(value: NgValue | undefined): number {
  return typeof value === 'number' && value >= 0 ? value : 0;
}
