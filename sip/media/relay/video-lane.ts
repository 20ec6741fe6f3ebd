import type { Clock } from '../../clock.js';
import { notAgreed, type PayloadMap } from '../../sdp/payload-types.js';
import { isRtcp, rtcpHeaderBytes, rtpHeaderBytes, type PacketSink, type PacketTaker } from './packet-lane.js';
import { isOldPictureRequest, pictureRequest } from './picture-request.js';

/**
 * The first request for a picture is repeated once after so long: the picture may have come a moment too early for an end
 * that is just coming up, and Chromium answers no two requests within 300 ms.
 */
const askAgainAfterMs = 500;

/**
 * The way of the video from one end to the other, with its RTCP: reports and the requests of the end for a picture or for
 * lost packets (RFC 4585, RFC 5104). Nothing but the payload type is changed.
 */
export class VideoLane implements PacketTaker {
  packetsReceived = 0;
  packetsDropped = 0;
  #ssrc = -1;
  #sink: PacketSink | undefined;
  #map: PayloadMap | undefined;
  /** What comes the other way, which this end's RTCP is about. */
  #back: VideoLane | undefined;
  /** The other end has missed some: whole pictures are rare, and it could show nothing until the next one. */
  #wantsPicture = false;
  /** When to ask once more; 0: not at all. */
  #askAgainAtMs = 0;

  constructor(private readonly clock: Clock) {}

  /** From now on packets go to `sink`. `back` is the way back. */
  open(sink: PacketSink, map: PayloadMap, back: VideoLane): void {
    this.#sink = sink;
    this.#map = map;
    this.#back = back;
    this.#wantsPicture = this.#ssrc !== -1;
  }

  /** From now on packets are dropped. */
  cut(): void {
    this.#sink = undefined;
  }

  /** The end has no video any more. */
  end(): void {
    this.cut();
    this.#map = undefined;
    this.#back = undefined;
    this.#ssrc = -1;
    this.#wantsPicture = false;
    this.#askAgainAtMs = 0;
  }

  /** Whether a packet that came over the audio's transport belongs here (RFC 9143 §9.2). Hot path. */
  owns(packet: Buffer): boolean {
    const second = packet[1];
    if (this.#map === undefined || second === undefined || packet.length < rtcpHeaderBytes) return false;
    if (!isRtcp(second)) return this.#map[second & 0x7f] !== notAgreed;
    return packet.readUInt32BE(4) === this.#ssrc || this.#isAboutBack(packet);
  }

  /** Hot path: no allocation. */
  receive(packet: Buffer): void {
    this.packetsReceived += 1;
    if (!this.#forward(packet)) this.packetsDropped += 1;
  }

  refuse(): void {
    this.packetsDropped += 1;
  }

  /** The other end has missed a picture, or has asked for one in vain. */
  missPicture(): void {
    this.#wantsPicture = true;
  }

  /** Sends a request of ours the way that this end's packets take. */
  request(packet: Buffer): void {
    this.#sink?.sendRtcp(packet);
  }

  /** Of the pictures that come in; -1 before the first packet. */
  get ssrc(): number {
    return this.#ssrc;
  }

  /** Of the other end's pictures; -1 while there are none. */
  get #backSsrc(): number {
    return this.#back?.ssrc ?? -1;
  }

  #forward(packet: Buffer): boolean {
    const [first, second] = packet;
    if (first === undefined || second === undefined || first >> 6 !== 2) return false;
    if (isRtcp(second)) return packet.length >= rtcpHeaderBytes && this.#forwardRtcp(packet);
    const payloadType = second & 0x7f;
    const mapped = this.#map?.[payloadType] ?? notAgreed;
    if (packet.length < rtpHeaderBytes || mapped === notAgreed) return false;
    this.#ssrc = packet.readUInt32BE(8);
    if (this.#sink === undefined) return false;
    if (mapped !== payloadType) packet[1] = (second & 0x80) | mapped;
    const isSent = this.#sink.sendRtp(packet);
    if (!isSent) this.#wantsPicture = true;
    else if (this.#wantsPicture || this.#askAgainAtMs > 0) this.#askForPicture();
    return isSent;
  }

  #forwardRtcp(packet: Buffer): boolean {
    const translated = isOldPictureRequest(packet) ? this.#modern(packet) : packet;
    if (translated === undefined) return false;
    const isSent = this.#sink?.sendRtcp(translated) ?? false;
    // It may have been a request for a picture: made up for when the other end is up.
    if (!isSent) this.#back?.missPicture();
    return isSent;
  }

  /** Interop: the request of RFC 2032, which older phones send and no browser knows, in today's form. */
  #modern(packet: Buffer): Buffer | undefined {
    const about = this.#backSsrc;
    return about === -1 ? undefined : pictureRequest(packet.readUInt32BE(4), about);
  }

  #askForPicture(): void {
    const nowMs = this.clock.nowMs();
    if (!this.#wantsPicture && nowMs < this.#askAgainAtMs) return;
    this.#askAgainAtMs = this.#wantsPicture ? nowMs + askAgainAfterMs : 0;
    this.#wantsPicture = false;
    const sender = this.#backSsrc === -1 ? 1 : this.#backSsrc;
    this.#back?.request(pictureRequest(sender, this.#ssrc));
  }

  /** Whether the first report block, or a feedback message, is about the pictures of the other end. */
  #isAboutBack(packet: Buffer): boolean {
    const ssrc = this.#backSsrc;
    if (ssrc === -1) return false;
    // A compound packet (RFC 3550 §6.1), each part with its own length.
    for (let at = 0; at + rtcpHeaderBytes <= packet.length;) {
      const place = aboutAt(packet.readUInt8(at + 1));
      const end = at + 4 * (packet.readUInt16BE(at + 2) + 1);
      if (place !== undefined && at + place + 4 <= Math.min(end, packet.length)) {
        if (packet.readUInt32BE(at + place) === ssrc) return true;
      }
      at = end;
    }
    return false;
  }
}

/** Where the SSRC that a part is about stands: sender and receiver reports, transport and payload feedback. */
function aboutAt(packetType: number): number | undefined {
  if (packetType === 200) return 28;
  if (packetType === 201 || packetType === 205 || packetType === 206) return 8;
  return undefined;
}
