import { systemClock, type Clock } from '../../sip/clock.js';
import { silentLog } from '../../sip/log.js';
import type { RtpengineAddress } from '../../sip/media/rtpengine/instance.js';
import {
  createRtpengineEngine,
  type RtpengineEngine,
  type RtpengineEngineOptions,
  type RtpengineEvents,
} from '../../sip/media/rtpengine/rtpengine-engine.js';
import { decodeMuLaw, encodeMuLaw } from './g711.js';
import { rtpPacket } from './rtp-phone.js';
import { detectTone, sineSamples } from './tone.js';
import { WebrtcPeer } from './webrtc-peer.js';

/** Remembers what an engine told of its instances, as `up host:port`, in order. */
export class MediaServerRecord implements RtpengineEvents {
  readonly seen: string[] = [];
  readonly #waiting: (() => void)[] = [];

  mediaServerUp({ instance }: { instance: string }): void {
    this.#note(`up ${instance}`);
  }

  mediaServerDown({ instance }: { instance: string }): void {
    this.#note(`down ${instance}`);
  }

  mediaServerPassedOver({ instance }: { instance: string }): void {
    this.#note(`passed over ${instance}`);
  }

  mediaServersUnavailable(): void {
    this.#note('unavailable');
  }

  mediaOrphansDeleted({ instance, calls }: { instance: string; calls: number }): void {
    this.#note(`deleted ${calls} in ${instance}`);
  }

  /** Resolves once this was told, from the beginning or from `since` entries on. */
  async told(what: string, since = 0): Promise<void> {
    while (!this.seen.slice(since).includes(what))
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #note(what: string): void {
    this.seen.push(what);
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

/** An engine over these instances that notices changes quickly. */
export function rtpengineEngine(
  instances: readonly RtpengineAddress[],
  events: RtpengineEvents,
  options: Partial<RtpengineEngineOptions> = {},
  clock: Clock = systemClock,
): RtpengineEngine {
  return createRtpengineEngine({
    instances,
    owner: `test ${process.pid}`,
    pingEveryMs: 200,
    pingDeadlineMs: 500,
    queryEveryMs: 1_000,
    lostAfterMs: 500,
    events,
    log: silentLog,
    clock,
    ...options,
  });
}

const rate = 8_000;
const packetMs = 20;
const listenPackets = 15;

/** A browser's media without a browser: speaks one tone in PCMU over WebRTC and knows what it hears. */
export class ToneBrowser {
  readonly peer = new WebrtcPeer();
  #speaking: NodeJS.Timeout | undefined;
  #sequence = 0;
  #sdp = '';
  /** In DTLS, once the connection is there: rtpengine takes the other one. */
  #role = 'passive';

  /** `hz`: a multiple of 50, so that a packet holds whole periods; also the SSRC. */
  constructor(private readonly hz: number) {}

  async offer(): Promise<string> {
    this.#sdp = await this.peer.offer();
    this.#role = 'passive';
    return this.#sdp;
  }

  async answer(offer: string): Promise<string> {
    this.#sdp = await this.peer.answer(offer);
    this.#role = 'active';
    return this.#sdp;
  }

  /** A later offer that changes the direction alone, as a browser's hold does. */
  reoffer(direction: string): string {
    return this.#described(direction, 'actpass');
  }

  /** An answer to a later offer; takes the direction that the offer leaves. */
  reanswer(direction: string): string {
    return this.#described(direction, this.#role);
  }

  /** Speaks from when the connection is there. */
  async speak(): Promise<void> {
    await this.peer.reached('open');
    const payload = Buffer.from(sineSamples(this.hz, packetMs / 1_000, rate).map(encodeMuLaw));
    this.#speaking = setInterval(() => {
      this.#sequence = (this.#sequence + 1) & 0xffff;
      this.peer.send(Buffer.concat([rtpPacket(0, this.#sequence, '', this.hz), payload]));
    }, packetMs);
  }

  hush(): void {
    clearInterval(this.#speaking);
  }

  /** Waits until the packets from now on hold this tone. */
  async waitForTone(hz: number): Promise<void> {
    for (;;) {
      const since = this.peer.packets.length;
      await this.peer.packet(since + listenPackets);
      const speech = this.peer.packets.slice(since).filter((packet) => packet.readUInt8(1) % 128 === 0);
      const samples = speech.flatMap((packet) => [...packet.subarray(12)].map(decodeMuLaw));
      if (detectTone(samples, rate, [hz]) === hz) return;
    }
  }

  close(): void {
    this.hush();
    this.peer.close();
  }

  #described(direction: string, setup: string): string {
    return this.#sdp.replace(/^a=sendrecv/m, `a=${direction}`).replace(/^a=setup:\w+/m, `a=setup:${setup}`);
  }
}
