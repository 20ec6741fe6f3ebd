import { decodeMuLaw, encodeMuLaw } from './g711.js';
import { type RtpPhone, rtpPacket } from './rtp-phone.js';
import { detectTone, sineSamples } from './tone.js';

/** Sends a tone as PCMU, 20 ms a packet, and judges what comes back. */
export class ToneCaller {
  #sequence = 0;
  readonly #timer: NodeJS.Timeout;
  target = 0;

  constructor(
    readonly phone: RtpPhone,
    hz: number,
  ) {
    const payload = Buffer.from(sineSamples(hz, 0.02, 8_000).map(encodeMuLaw));
    this.#timer = setInterval(() => {
      if (this.target === 0) return;
      this.#sequence += 1;
      const packet = Buffer.concat([rtpPacket(0, this.#sequence, ''), payload]);
      this.phone.send(packet, this.target);
    }, 20);
  }

  /** The tone in the next ten audio packets from now. */
  async hears(hz: number): Promise<void> {
    for (;;) {
      const from = this.phone.packets.length;
      await this.phone.packet(from + 10);
      const audio = this.phone.packets.slice(from, from + 10).filter((packet) => packet[1] === 0);
      const samples = audio.flatMap((packet) => [...packet.subarray(12)].map(decodeMuLaw));
      if (detectTone(samples, 8_000, [hz]) === hz) return;
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.phone.close();
  }
}
