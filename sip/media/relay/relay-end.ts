import { randomInt } from 'node:crypto';
import type { Clock } from '../../clock.js';
import type { Log } from '../../log.js';
import type { LocalTransport, MediaSection, SdpAddress } from '../../sdp/description.js';
import { SdpEnd } from '../../sdp/offer-answer.js';
import { mediaTrace } from '../../trace.js';
import type { DtmfTone, MediaEndOptions, MediaEndStats } from '../media-engine.js';
import { BrowserTransport } from './browser-transport.js';
import type { EndTransport } from './end-transport.js';
import { PacketLane } from './packet-lane.js';
import { PlainTransport } from './plain-transport.js';
import type { PeerPorts } from './peer-ports.js';
import type { PortRange } from './port-range.js';
import { VideoLane } from './video-lane.js';

/** What all ends of an engine share. */
export interface RelayResources {
  /** Announced in SDP. */
  readonly address: SdpAddress;
  readonly bindAddress: string;
  /** For plain ends. */
  readonly ports: PortRange;
  /** For browsers' ends. */
  readonly peerPorts: PeerPorts;
  readonly latchWindowMs: number;
  /** A packet came to a plain end from elsewhere than its signalled address. */
  readonly stray: () => void;
  readonly log: Log;
  readonly clock: Clock;
}

/** `o=` session ids stay below 2^47: some parsers hold them in a double. */
const maxSessionId = 2 ** 47;

/** One end of a media session: its SDP, its transport, and the lanes that its packets take. */
export class RelayEnd {
  readonly sdp: SdpEnd;
  readonly transport: EndTransport;
  readonly lane: PacketLane;
  readonly videoLane: VideoLane;
  /** Ports of its own for the video of a plain end, while there is video. */
  #videoTransport: PlainTransport | undefined;
  /** Its DTMF is in signalling: no events in its RTP. */
  readonly isSignalled: boolean;

  constructor(
    readonly mediaId: string,
    readonly id: string,
    options: MediaEndOptions,
    private readonly resources: RelayResources,
    heard: (tone: DtmfTone) => void,
  ) {
    const { address, bindAddress, peerPorts, clock } = resources;
    const lane = new PacketLane(clock, heard);
    const videoLane = new VideoLane(clock);
    this.videoLane = videoLane;
    this.isSignalled = options.dtmf === 'signalled';
    this.lane = lane;
    this.sdp = new SdpEnd({ ...options, address, sessionId: String(randomInt(1, maxSessionId)) });
    this.transport =
      options.profile === 'plain'
        ? new PlainTransport({ ...resources, lane })
        : new BrowserTransport({
            address,
            peer: {
              name: id,
              bindAddress,
              family: address.family,
              ports: peerPorts,
              clock,
              onPacket: (packet) => (videoLane.owns(packet) ? videoLane : lane).receive(packet),
              onState: (state) => this.trace(state),
            },
          });
  }

  /** Where the video comes and goes: a browser's goes with the audio (BUNDLE), a plain end's has two ports more. */
  get videoTransport(): EndTransport {
    if (this.sdp.profile === 'webrtc') return this.transport;
    this.#videoTransport ??= new PlainTransport({ ...this.resources, lane: this.videoLane });
    return this.#videoTransport;
  }

  /** The video's ports, for an offer or an answer to the end; `audio` is what that says of the audio. */
  async openVideo(audio: LocalTransport): Promise<LocalTransport> {
    return this.sdp.profile === 'webrtc' ? audio : this.videoTransport.prepareOffer();
  }

  /** The end's video section holds from now on: send there. */
  aimVideo(section: MediaSection): void {
    if (this.sdp.profile === 'plain') this.videoTransport.applyOffer(section);
  }

  /** The description in force was given once more, as a 200 repeats that of a 183: media may begin only now. */
  reopen(): void {
    this.transport.reopen?.();
    this.#videoTransport?.reopen();
  }

  /** The end has no video any more: frees its ports. */
  closeVideo(): void {
    this.videoLane.end();
    this.#videoTransport?.close();
    this.#videoTransport = undefined;
  }

  get stats(): MediaEndStats {
    const { packetsReceived, bytesReceived, packetsDropped, codec, figures } = this.lane;
    const counted = { endId: this.id, packetsReceived, bytesReceived, packetsDropped, codec };
    return figures === undefined ? counted : { ...counted, quality: figures };
  }

  /** False until a packet has come. */
  get hasSent(): boolean {
    return this.lane.packetsReceived > 0;
  }

  trace(state: string): void {
    if (mediaTrace.hasSubscribers) mediaTrace.publish({ mediaId: this.mediaId, endId: this.id, state });
  }

  close(): void {
    this.lane.cut();
    this.closeVideo();
    this.transport.close();
    this.trace('ended');
  }
}
