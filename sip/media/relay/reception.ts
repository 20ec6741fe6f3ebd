/** A jump of so many sequence numbers is a loss; a longer one a stream that began anew (RFC 3550 A.1). */
const maxDropout = 3_000;
/** A packet that is so far behind was overtaken (RFC 3550 A.1). */
const maxMisorder = 100;
const sequenceModulus = 0x1_0000;
/** After a longer silence the jitter's reference is old: hold, or a clock that was set. */
const longestGapMs = 1_000;

/**
 * How the packets of one end arrive, counted over the whole call (RFC 3550 §6.4.1, A.1, A.3, A.8). A new SSRC, or a
 * jump of the sequence that two packets confirm, begins a new stream; what was counted before stays.
 */
export class Reception {
  /** Of the stream that is coming in; -1 before the first packet. */
  ssrc = -1;
  /** Of the audio codec in use, in Hz. */
  clockRate = 8_000;
  #base = 0;
  #highest = 0;
  #received = 0;
  /** The number that would confirm a jump; -1: no jump is suspected. */
  #afterJump = -1;
  #endedExpected = 0;
  #endedLost = 0;
  #lastMs = 0;
  #lastAudioMs = 0;
  /** -1: the next packet is the jitter's new reference. */
  #lastTimestamp = -1;
  #jitterMs = 0;
  #jitterSum = 0;
  #jitterSamples = 0;

  /** Packets that the sequence numbers tell of. */
  get expected(): number {
    return this.#endedExpected + this.#expectedNow;
  }

  /** Those that have not come. Repeated packets make up for lost ones, as in RFC 3550 A.3; never below 0. */
  get lost(): number {
    return this.#endedLost + Math.max(0, this.#expectedNow - this.#received);
  }

  /** Interarrival jitter in ms, averaged over the packets. */
  get jitterMs(): number {
    return this.#jitterSamples === 0 ? 0 : this.#jitterSum / this.#jitterSamples;
  }

  /** When the last packet came; 0: none has. */
  get lastMs(): number {
    return this.#lastMs;
  }

  /**
   * Counts an RTP packet of at least 12 bytes. `clockRate` is that of its audio codec, 0 when it is no audio (events,
   * comfort noise): such packets have a place in the sequence and no time of their own. Hot path: no allocation.
   */
  count(packet: Buffer, clockRate: number, nowMs: number): void {
    const ssrc = packet.readUInt32BE(8);
    const sequence = packet.readUInt16BE(2);
    if (ssrc !== this.ssrc) {
      if (clockRate === 0) return;
      this.#begin(ssrc, sequence);
    } else if (!this.#place(sequence)) return;
    this.#received += 1;
    if (clockRate > 0) this.#time(packet.readUInt32BE(4), clockRate, nowMs);
    this.#lastMs = nowMs;
  }

  get #expectedNow(): number {
    return this.ssrc === -1 ? 0 : this.#highest - this.#base + 1;
  }

  #begin(ssrc: number, sequence: number): void {
    this.#endedLost = this.lost;
    this.#endedExpected = this.expected;
    this.ssrc = ssrc;
    this.#base = sequence;
    this.#highest = sequence;
    this.#received = 0;
    this.#afterJump = -1;
    this.#lastTimestamp = -1;
    this.#jitterMs = 0;
  }

  /** False when the packet does not count: it may be the first one after a jump. */
  #place(sequence: number): boolean {
    const ahead = (sequence - this.#highest) & 0xffff;
    if (ahead < maxDropout) {
      this.#highest += ahead;
    } else if (ahead > sequenceModulus - maxMisorder) {
      this.#base = Math.min(this.#base, this.#highest + ahead - sequenceModulus);
      return true;
    } else if (sequence === this.#afterJump) {
      this.#begin(this.ssrc, sequence);
    } else {
      this.#afterJump = (sequence + 1) & 0xffff;
      return false;
    }
    this.#afterJump = -1;
    return true;
  }

  #time(timestamp: number, clockRate: number, nowMs: number): void {
    const gapMs = nowMs - this.#lastAudioMs;
    const isComparable = this.#lastTimestamp !== -1 && clockRate === this.clockRate;
    if (isComparable && gapMs >= 0 && gapMs <= longestGapMs) {
      const sentApartMs = (((timestamp - this.#lastTimestamp) | 0) * 1_000) / clockRate;
      const differenceMs = Math.abs(gapMs - sentApartMs);
      this.#jitterMs += (differenceMs - this.#jitterMs) / 16;
      this.#jitterSum += this.#jitterMs;
      this.#jitterSamples += 1;
    }
    this.clockRate = clockRate;
    this.#lastTimestamp = timestamp;
    this.#lastAudioMs = nowMs;
  }
}
