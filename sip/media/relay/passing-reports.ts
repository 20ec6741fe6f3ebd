import type { Reception } from './reception.js';

/** So many sender reports are remembered: an answer to an older one is late by half a minute. */
const remembered = 8;
/** DLSR is in 1/65536 s (RFC 3550 §6.4.1). */
const dlsrPerMs = 65.536;

/**
 * What the listener of one end's packets reports of them, in RTCP that passes. Its round trip is that between the relay
 * and the listener: from when the sender's report passed to when the answer to it came.
 */
export class PassingReports {
  /** Round robin: the middle of the NTP time of a sender report, and when it passed. */
  readonly #ntp = new Uint32Array(remembered);
  readonly #passedMs = new Float64Array(remembered);
  #next = 0;
  #ssrc = -1;
  #lostNow = 0;
  #lostBefore = 0;
  #fractionSum = 0;
  #jitterSumMs = 0;
  #roundTripSumMs = 0;
  #roundTrips = 0;
  /** Number of reports. */
  count = 0;

  /** Packets lost by the listener's own count. */
  get lost(): number {
    return this.#lostBefore + this.#lostNow;
  }

  /** Loss in percent, averaged over the reports. */
  get lossPercent(): number {
    return this.count === 0 ? 0 : (this.#fractionSum / this.count) * (100 / 256);
  }

  get jitterMs(): number {
    return this.count === 0 ? 0 : this.#jitterSumMs / this.count;
  }

  /** Relay to listener and back; undefined when no report told. */
  get roundTripMs(): number | undefined {
    return this.#roundTrips === 0 ? undefined : this.#roundTripSumMs / this.#roundTrips;
  }

  /** A report of the sender passes: `ntp` are the middle 32 bits of its NTP time. */
  noteSent(ntp: number, nowMs: number): void {
    this.#ntp[this.#next] = ntp;
    this.#passedMs[this.#next] = nowMs;
    this.#next = (this.#next + 1) % remembered;
  }

  /** Takes a reception report block that begins at `at` (RFC 3550 §6.4.1), when it is about this stream. */
  take(packet: Buffer, at: number, { ssrc, clockRate }: Reception, nowMs: number): void {
    if (packet.readUInt32BE(at) !== ssrc) return;
    if (ssrc !== this.#ssrc) {
      this.#ssrc = ssrc;
      this.#lostBefore = this.lost;
    }
    this.#lostNow = Math.max(0, packet.readIntBE(at + 5, 3));
    this.#fractionSum += packet.readUInt8(at + 4);
    this.#jitterSumMs += (packet.readUInt32BE(at + 12) * 1_000) / clockRate;
    this.count += 1;
    const lastReport = packet.readUInt32BE(at + 16);
    if (lastReport !== 0) this.#takeRoundTrip(lastReport, packet.readUInt32BE(at + 20) / dlsrPerMs, nowMs);
  }

  #takeRoundTrip(lastReport: number, heldMs: number, nowMs: number): void {
    const slot = this.#ntp.indexOf(lastReport);
    const passedMs = this.#passedMs[slot];
    if (passedMs === undefined) return;
    this.#roundTripSumMs += Math.max(0, nowMs - passedMs - heldMs);
    this.#roundTrips += 1;
  }
}
