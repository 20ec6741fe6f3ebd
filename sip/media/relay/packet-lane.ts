import type { SdpCodec } from '../../sdp/description.js';
import { isTelephoneEvent } from '../../sdp/codecs.js';
import { notAgreed, type PayloadMap } from '../../sdp/payload-types.js';

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
  #payloadType = -1;
  #sink: PacketSink | undefined;
  #map: PayloadMap | undefined;
  /** Payload types of audio; the others are events. */
  readonly #audio = new Map<number, SdpCodec>();

  /** From now on packets go to `sink`. `codecs` are those that the end may send, with its payload types. */
  open(sink: PacketSink, map: PayloadMap, codecs: readonly SdpCodec[]): void {
    this.#sink = sink;
    this.#map = map;
    this.#audio.clear();
    for (const codec of codecs) if (!isTelephoneEvent(codec)) this.#audio.set(codec.payloadType, codec);
  }

  /** From now on packets are dropped. */
  cut(): void {
    this.#sink = undefined;
    this.#map = undefined;
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
    if (sink === undefined || first === undefined || second === undefined || first >> 6 !== 2) return false;
    if (isRtcp(second)) return packet.length >= rtcpHeaderBytes && sink.sendRtcp(packet);
    const payloadType = second & 0x7f;
    const mapped = this.#map?.[payloadType] ?? notAgreed;
    if (mapped === notAgreed || packet.length < rtpHeaderBytes) return false;
    if (this.#audio.has(payloadType)) this.#payloadType = payloadType;
    if (mapped !== payloadType) packet[1] = (second & 0x80) | mapped;
    return sink.sendRtp(packet);
  }
}
