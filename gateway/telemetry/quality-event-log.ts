import type { Log } from '../../sip/log.js';
import type { MediaEngineName } from '../../sip/media/media-engine.js';
import type { CallEvents, SideQuality } from './call-events.js';
import type { EnumPairHistogram, Metrics } from './metrics.js';

const sides = ['browser', 'trunk'] as const;
const engines: readonly MediaEngineName[] = ['relay', 'rtpengine', 'passthrough'];
const opinionBuckets = [1.5, 2, 2.5, 3, 3.25, 3.5, 3.75, 4, 4.1, 4.2, 4.3, 4.4];
const lossBuckets = [0.001, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5];
const jitterBuckets = [0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2];
const roundTripBuckets = [0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 1];

type SideHistogram = EnumPairHistogram<(typeof sides)[number], MediaEngineName>;

function qualityHistograms(metrics: Metrics) {
  const bySide = (name: string, help: string, buckets: number[]): SideHistogram =>
    metrics.enumPairHistogram(name, help, buckets, ['side', sides], ['engine', engines]);
  return {
    mos: bySide('media_mos', 'Estimated mean opinion score, by whose packets', opinionBuckets),
    loss: bySide('media_loss_ratio', 'Share of packets lost, by whose packets', lossBuckets),
    jitter: bySide('media_jitter_seconds', 'Interarrival jitter, by whose packets', jitterBuckets),
    roundTrip: bySide('media_round_trip_seconds', 'End to end and back, by whose packets', roundTripBuckets),
  };
}

/** How the media of ended calls arrived, on a log and histograms. */
export function createQualityEvents(log: Log, metrics: Metrics): Pick<CallEvents, 'callQuality'> {
  const histograms = qualityHistograms(metrics);
  return {
    callQuality({ callId, engine, sides: measured }) {
      for (const { side, packetLoss, jitterMs, roundTripMs, mos } of measured) {
        histograms.loss.observe(side, engine, packetLoss / 100);
        histograms.jitter.observe(side, engine, jitterMs / 1_000);
        if (roundTripMs !== undefined) histograms.roundTrip.observe(side, engine, roundTripMs / 1_000);
        if (mos !== undefined) histograms.mos.observe(side, engine, mos);
      }
      const line = `media arrived: ${measured.map(sideLine).join('; ')}`;
      log.info({ event: 'call.quality', callId, engine, sides: measured }, line);
    },
  };
}

function sideLine({ side, codec, packetLoss, jitterMs, mos }: SideQuality): string {
  const opinion = mos === undefined ? '' : `, MOS ${mos}`;
  return `${side} ${codec ?? ''} loss ${packetLoss} %, jitter ${jitterMs} ms${opinion}`;
}
