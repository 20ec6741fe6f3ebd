import type { Clock } from '../../clock.js';
import type { SdpCodec } from '../../sdp/description.js';
import { isTelephoneEvent } from '../../sdp/codecs.js';
import { notAgreed, type PayloadMap } from '../../sdp/payload-types.js';
import type { DtmfTone, MediaQuality } from '../media-engine.js';
import { StreamQuality } from './stream-quality.js';
import { ToneReader } from './tone-reader.js';
import { ToneWriter } from './tone-writer.js';

/** Takes packets for one end. False when the packet could not be sent. */
export interface PacketSink {
  sendRtp(packet: Buffer): boolean;
  sendRtcp(packet: Buffer): boolean;
}

/** Takes the packets that come from one end. */
export interface PacketTaker {
  receive(packet: Buffer): void;
  /** Counts a packet that its transport refused. */
  refuse(): void;
}

export const rtpHeaderBytes = 12;
export const rtcpHeaderBytes = 8;
/** An end that has sent nothing for so long has no audio that tones could take the place of. */
const longestSilenceMs = 500;

/** RTCP packet types on a shared port (RFC 5761 §4). */
export function isRtcp(second: number): boolean {
  return second >= 192 && second <= 223;
}

/**
 * The way from one end to the other: checks, counts, rewrites the payload type in place and hands on. SSRC, sequence
 * number and timestamp stay as they are, so that RTCP can be passed on untouched.
 */
export class PacketLane implements PacketTaker {
  packetsReceived = 0;
  bytesReceived = 0;
  packetsDropped = 0;
  readonly quality = new StreamQuality();
  /** Tones of this end that are not for the other end's RTP. */
  readonly reader: ToneReader;
  /** Tones for the other end. */
  readonly writer = new ToneWriter();
  #payloadType = -1;
  #sink: PacketSink | undefined;
  #map: PayloadMap | undefined;
  /** What comes the other way, which this end's RTCP is about. */
  #back: PacketLane | undefined;
  /** Payload types of audio; the others are events. */
  readonly #audio = new Map<number, SdpCodec>();

  /** `heard`: the end has sent a tone that the reader was to take. */
  constructor(
    private readonly clock: Clock,
    heard: (tone: DtmfTone) => void,
  ) {
    this.reader = new ToneReader(heard);
  }

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

  /** Sends a tone to the other end in place of this end's audio; false when there is none, or when it takes no events. */
  insert(tone: DtmfTone): boolean {
    const silentMs = this.clock.nowMs() - this.quality.reception.lastMs;
    return this.#sink !== undefined && silentMs < longestSilenceMs && this.writer.add(tone);
  }

  refuse(): void {
    this.packetsDropped += 1;
  }

  #forward(packet: Buffer): boolean {
    const first = packet[0];
    const second = packet[1];
    if (first === undefined || second === undefined || first >> 6 !== 2) return false;
    if (isRtcp(second)) return packet.length >= rtcpHeaderBytes && this.#forwardRtcp(packet);
    if (packet.length < rtpHeaderBytes) return false;
    const payloadType = second & 0x7f;
    const audio = this.#audio.get(payloadType);
    const nowMs = this.clock.nowMs();
    this.quality.reception.count(packet, audio?.clockRate ?? 0, nowMs);
    const sink = this.#sink;
    if (sink === undefined) return false;
    if (audio !== undefined) return this.#forwardAudio(packet, audio, sink, nowMs);
    if (!this.reader.reads(payloadType)) return this.#send(packet, payloadType, sink);
    this.reader.take(packet, nowMs);
    return true;
  }

  #forwardAudio(packet: Buffer, codec: SdpCodec, sink: PacketSink, nowMs: number): boolean {
    this.#payloadType = codec.payloadType;
    if (this.reader.isOpen) this.reader.audio(nowMs);
    const event = this.writer.isBusy ? this.writer.replace(packet, codec.clockRate) : undefined;
    return event === undefined ? this.#send(packet, codec.payloadType, sink) : sink.sendRtp(event);
  }

  #send(packet: Buffer, payloadType: number, sink: PacketSink): boolean {
    const mapped = this.#map?.[payloadType] ?? notAgreed;
    if (mapped === notAgreed) return false;
    if (mapped !== payloadType) packet[1] = (packet.readUInt8(1) & 0x80) | mapped;
    return sink.sendRtp(packet);
  }

  #forwardRtcp(packet: Buffer): boolean {
    if (this.#back !== undefined) this.quality.readRtcp(packet, this.#back.quality, this.clock.nowMs());
    return this.#sink?.sendRtcp(packet) ?? false;
  }
}
