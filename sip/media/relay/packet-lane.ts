import type { Clock } from '../../clock.js';
import type { SdpCodec } from '../../sdp/description.js';
import { isTelephoneEvent } from '../../sdp/codecs.js';
import { notAgreed, type PayloadMap } from '../../sdp/payload-types.js';
import type { MediaQuality } from '../media-engine.js';
import { StreamQuality } from './stream-quality.js';

/** Takes packets for one end. False when the packet could not be sent. */
export interface PacketSink {
  sendRtp(packet: Buffer): boolean;
  sendRtcp(packet: Buffer): boolean;
}

const rtpHeaderBytes = 12;
const rtcpHeaderBytes = 8;

/** RTCP packet types on a shared port (RFC 5761 §4). */
export function isRtcp(second: number): boolean {
  return second >= 192 && second <= 223;
}

/**
 * The way from one end to the other: checks, counts, rewrites the payload type in place and hands on. SSRC, sequence
 * number and timestamp stay as they are, so that RTCP can be passed on untouched.
 */
export class PacketLane {
  packetsReceived = 0;
  bytesReceived = 0;
  packetsDropped = 0;
  readonly quality = new StreamQuality();
  #payloadType = -1;
  #sink: PacketSink | undefined;
  #map: PayloadMap | undefined;
  /** What comes the other way, which this end's RTCP is about. */
  #back: PacketLane | undefined;
  /** Payload types of audio; the others are events. */
  readonly #audio = new Map<number, SdpCodec>();

  constructor(private readonly clock: Clock) {}

  /** From now on packets go to `sink`. `codecs` are those that the end may send, with its payload types. `back` is the way back. */
  open(sink: PacketSink, map: PayloadMap, codecs: readonly SdpCodec[], back?: PacketLane): void {
    this.#sink = sink;
    this.#map = map;
    this.#back = back;
    this.#audio.clear();
    for (const codec of codecs) if (!isTelephoneEvent(codec)) this.#audio.set(codec.payloadType, codec);
  }

  /** From now on packets are dropped; they are counted all the same, or they would look lost. */
  cut(): void {
    this.#sink = undefined;
    this.#map = undefined;
  }

  /** How this end's packets arrive; undefined while none has come. */
  get figures(): MediaQuality | undefined {
    return this.quality.figures(this.#back?.quality);
  }

  /** Name of the audio codec seen last, or of the first agreed one when nothing was seen. */
  get codec(): string | undefined {
    const [first] = this.#audio.values();
    return (this.#audio.get(this.#payloadType) ?? first)?.name;
  }

  /** Hot path: no allocation. */
  receive(packet: Buffer): void {
    this.packetsReceived += 1;
    this.bytesReceived += packet.length;
    if (!this.#forward(packet)) this.packetsDropped += 1;
  }

  /** Counts a packet that its transport refused. */
  refuse(): void {
    this.packetsDropped += 1;
  }

  #forward(packet: Buffer): boolean {
    const sink = this.#sink;
    const first = packet[0];
    const second = packet[1];
    if (first === undefined || second === undefined || first >> 6 !== 2) return false;
    if (isRtcp(second)) return packet.length >= rtcpHeaderBytes && this.#forwardRtcp(packet);
    if (packet.length < rtpHeaderBytes) return false;
    const payloadType = second & 0x7f;
    const audio = this.#audio.get(payloadType);
    this.quality.reception.count(packet, audio?.clockRate ?? 0, this.clock.nowMs());
    const mapped = this.#map?.[payloadType] ?? notAgreed;
    if (sink === undefined || mapped === notAgreed) return false;
    if (audio !== undefined) this.#payloadType = payloadType;
    if (mapped !== payloadType) packet[1] = (second & 0x80) | mapped;
    return sink.sendRtp(packet);
  }

  #forwardRtcp(packet: Buffer): boolean {
    if (this.#back !== undefined) this.quality.readRtcp(packet, this.#back.quality, this.clock.nowMs());
    return this.#sink?.sendRtcp(packet) ?? false;
  }
}
