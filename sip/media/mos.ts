/** What an estimate is made of. */
export interface HeardQuality {
  /** In percent of the packets that were sent. */
  readonly packetLoss: number;
  readonly jitterMs: number;
  /** Between the two ends; 0 when it is not known. */
  readonly roundTripMs: number;
}

/** R of a connection without delay and loss: every other term of ITU-T G.107 §7 at its default. */
const defaultRating = 93.2;
/** Packet-loss robustness of G.711 with concealment, loss at random (ITU-T G.113 appendix I). */
const lossRobustness = 25.1;
/** One packet of audio is collected before it can be sent. */
const packetTimeMs = 20;
/** From this one-way delay on talkers begin to interrupt each other. */
const noticedDelayMs = 177.3;

/**
 * Mean opinion score, 1 to 4.41, by the simplification of the E-model (ITU-T G.107) that takes delay and packet loss
 * alone: `R = 93.2 − Id − Ie,eff`. `Id` is the usual two-line fit of its delay curve, over half the round trip, twice
 * the jitter (a play-out buffer) and one packet. The scale is that of narrow-band telephony, whatever the codec.
 */
export function estimateMos({ packetLoss, jitterMs, roundTripMs }: HeardQuality): number {
  const delayMs = roundTripMs / 2 + 2 * jitterMs + packetTimeMs;
  const delayImpairment = 0.024 * delayMs + 0.11 * Math.max(0, delayMs - noticedDelayMs);
  const lossImpairment = (95 * packetLoss) / (packetLoss + lossRobustness);
  return opinionOf(defaultRating - delayImpairment - lossImpairment);
}

/** ITU-T G.107 annex B. Its cubic dips under 1 for ratings near 0. */
function opinionOf(rating: number): number {
  if (rating <= 0) return 1;
  const opinion = 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6;
  return Math.max(1, Math.min(4.5, opinion));
}
