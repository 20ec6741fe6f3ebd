import { EventEmitter, once } from 'node:events';
import native from 'node-datachannel';

export interface WebrtcPeerOptions {
  /** `payload type name` pairs, e.g. `[111, 'opus/48000/2']`. */
  readonly codecs?: readonly (readonly [payloadType: number, codec: string])[];
  readonly port?: number;
  /** Default: 127.0.0.1. */
  readonly address?: string;
  /** Takes the packets, which are then not kept. */
  readonly onPacket?: (packet: Buffer) => void;
}

const chromiumLike: readonly (readonly [number, string])[] = [
  [111, 'opus/48000/2'],
  [9, 'G722/8000'],
  [0, 'PCMU/8000'],
  [8, 'PCMA/8000'],
  [126, 'telephone-event/8000'],
];

/** A stand-in for a browser: ICE, DTLS-SRTP, one audio track that sends and receives raw RTP. */
export class WebrtcPeer {
  readonly packets: Buffer[] = [];
  readonly states: string[] = [];
  readonly #events = new EventEmitter();
  readonly #connection: native.PeerConnection;
  readonly #track: native.Track;
  readonly #gathered: Promise<void>;

  constructor(options: WebrtcPeerOptions = {}) {
    this.#connection = new native.PeerConnection('browser', {
      iceServers: [],
      bindAddress: options.address ?? '127.0.0.1',
      disableAutoNegotiation: true,
      ...(options.port === undefined ? {} : { portRangeBegin: options.port, portRangeEnd: options.port }),
    });
    this.#connection.onStateChange((state) => {
      this.states.push(state);
      this.#events.emit('state');
    });
    this.#gathered = new Promise((resolve) => {
      this.#connection.onGatheringStateChange((state) => {
        if (state === 'complete') resolve();
      });
    });
    const audio = new native.Audio('0', 'SendRecv');
    for (const [payloadType, codec] of options.codecs ?? chromiumLike)
      audio.addAudioCodec(payloadType, codec);
    this.#track = this.#connection.addTrack(audio);
    this.#track.onClosed(() => undefined);
    this.#track.onOpen(() => {
      this.states.push('open');
      this.#events.emit('state');
    });
    this.#track.onMessage(
      options.onPacket ??
        ((packet) => {
          this.packets.push(packet);
          this.#events.emit('packet');
        }),
    );
  }

  /** What this peer has said last; empty before that. */
  get localSdp(): string {
    return this.#connection.localDescription()?.sdp ?? '';
  }

  /**
   * An offer without candidates, as a browser's may be: the relay learns where this peer is from its checks. (With them,
   * the relay's checks can overtake the answer, and this library then fails the handshake now and then.)
   */
  async offer(): Promise<string> {
    const offer = await this.offerWithCandidates();
    return offer.replace(/a=(candidate|end-of-candidates).*\r\n/g, '');
  }

  /** An offer that tells where this peer is, for who can bear that now and then it does not connect. */
  async offerWithCandidates(): Promise<string> {
    this.#connection.setLocalDescription('offer');
    await this.#gathered;
    return this.#description();
  }

  /** Takes an offer and returns the answer with its candidate in it. */
  async answer(offer: string): Promise<string> {
    this.#connection.setRemoteDescription(offer, 'offer');
    this.#connection.setLocalDescription('answer');
    await this.#gathered;
    return this.#description();
  }

  takeAnswer(answer: string): void {
    this.#connection.setRemoteDescription(answer, 'answer');
  }

  /** Resolves when the connection has reached `state`; `open`: packets can be sent. */
  async reached(state: string): Promise<void> {
    while (!this.states.includes(state)) await once(this.#events, 'state');
  }

  /** Resolves with packet number `count` (from 1). */
  async packet(count: number): Promise<Buffer> {
    for (;;) {
      const packet = this.packets[count - 1];
      if (packet !== undefined) return packet;
      await once(this.#events, 'packet');
    }
  }

  send(packet: Buffer): void {
    this.#track.sendMessageBinary(packet);
  }

  /** The fingerprint of the certificate that the other side showed. */
  get remoteFingerprint(): string {
    return this.#connection.remoteFingerprint().value;
  }

  close(): void {
    this.#track.close();
    this.#connection.close();
  }

  #description(): string {
    const description = this.#connection.localDescription();
    if (description === null) throw new Error('no local description');
    return description.sdp;
  }
}
