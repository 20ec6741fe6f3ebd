import native from 'node-datachannel';
import { failure, SipFailure } from '../../failure.js';
import type { Clock } from '../../clock.js';
import { usableCandidates } from '../../sdp/candidates.js';
import type {
  AddressFamily,
  DtlsSetup,
  IceCredentials,
  MediaSection,
  SdpFingerprint,
} from '../../sdp/description.js';
import { defaultProtocol } from '../../sdp/profile.js';
import { parseSession, writeSession } from '../../sdp/session.js';
import type { PortPair, PortRange } from './port-range.js';
import { closeUdpPair, openUdpPair } from './udp-pair.js';

/** Gathering takes about a millisecond, as no STUN server is asked. */
const gatheringTimeoutMs = 5_000;

/** A port may be lost to another program between our check and the native bind. */
const maxAttempts = 3;

export interface PeerOptions {
  /** For the native library's own log. */
  readonly name: string;
  readonly bindAddress: string;
  readonly family: AddressFamily;
  readonly ports: PortRange;
  readonly clock: Clock;
  /** Called for each RTP and RTCP packet, decrypted. */
  onPacket(packet: Buffer): void;
  /** `connecting`, `connected` (packets can be sent), `disconnected`, `failed`. */
  onState(state: string): void;
}

/** Our parameters, as the native engine chose them. */
export interface PeerParameters {
  readonly port: number;
  readonly ice: IceCredentials;
  readonly fingerprint: SdpFingerprint;
}

/**
 * One native peer connection: ICE, DTLS and SRTP of one audio stream. It never sees a browser's SDP, only a minimal one
 * that is written from validated fields: what the native parser is fed is ours. It checks the peer's certificate
 * against the fingerprint and authenticates ICE by itself. It cannot restart ICE: a new peer takes over then.
 */
export class Peer {
  readonly #connection: native.PeerConnection;
  readonly #track: native.Track;
  #gathered: (() => void) | undefined;
  /** The native track opens a moment after the connection; before that sending throws. */
  #isOpen = false;
  #state = 'new';
  #isClosed = false;
  #parameters: PeerParameters | undefined;

  private constructor(
    private readonly options: PeerOptions,
    private readonly pair: PortPair,
    /** Answering peers answer inside the native call that takes the offer, where its exceptions are caught. */
    answering: boolean,
  ) {
    this.#connection = new native.PeerConnection(options.name, {
      iceServers: [],
      bindAddress: options.bindAddress,
      portRangeBegin: pair.rtp,
      portRangeEnd: pair.rtcp,
      disableAutoNegotiation: !answering,
    });
    this.#connection.onStateChange((state) => this.#stateChanged(state));
    this.#connection.onGatheringStateChange((state) => {
      if (state === 'complete') this.#gathered?.();
    });
    const audio = new native.Audio('0', 'SendRecv');
    audio.addAudioCodec(0, 'PCMU/8000');
    this.#track = this.#connection.addTrack(audio);
    this.#track.onMessage((packet) => options.onPacket(packet));
    this.#track.onOpen(() => {
      this.#isOpen = true;
      this.#stateChanged(this.#connection.state());
    });
    // The native side lets go of its handles after close only when somebody listens.
    this.#track.onClosed(() => undefined);
  }

  /** A peer for our own offer. Throws `media.no_ports` or `media.failed`. */
  static offering(options: PeerOptions): Promise<Peer> {
    return Peer.#start(options, false, (peer) => peer.#connection.setLocalDescription('offer'));
  }

  /** A peer for the other side's offer, `section`. Throws like {@link offering}. */
  static answering(options: PeerOptions, section: MediaSection): Promise<Peer> {
    return Peer.#start(options, true, (peer) => peer.#setRemote(section, 'offer'));
  }

  static async #start(options: PeerOptions, answering: boolean, begin: (peer: Peer) => void): Promise<Peer> {
    for (let attempt = 1; ; attempt++) {
      // The native library ends the process when it cannot bind: bind the ports ourselves first.
      const pair = await openUdpPair(options.ports, options.bindAddress, options.family);
      await closeUdpPair(pair);
      try {
        const peer = new Peer(options, pair.ports, answering);
        await peer.#gather(begin);
        return peer;
      } catch (thrown) {
        options.ports.giveBack(pair.ports);
        if (attempt === maxAttempts) throw asFailure(thrown);
      }
    }
  }

  get parameters(): PeerParameters {
    if (this.#parameters === undefined) throw failure('media.failed', { detail: 'no ICE parameters' });
    return this.#parameters;
  }

  /** True while packets can be sent. */
  get isConnected(): boolean {
    return this.#isOpen && this.#state === 'connected';
  }

  /** Takes the other side's answer to our offer. Throws `media.failed` when the native engine refuses it. */
  acceptAnswer(section: MediaSection): void {
    try {
      this.#setRemote(section, 'answer');
    } catch (thrown) {
      throw asFailure(thrown);
    }
  }

  /** Encrypts and sends. False when there is no connection. */
  send(packet: Buffer): boolean {
    if (!this.#isOpen) return false;
    try {
      return this.#track.sendMessageBinary(packet);
    } catch {
      // The native side closes before its event reaches us.
      return false;
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#isOpen = false;
    this.#track.close();
    this.#connection.close();
    this.options.ports.giveBack(this.pair);
  }

  async #gather(begin: (peer: Peer) => void): Promise<void> {
    try {
      await new Promise<void>((resolve, reject) => {
        const timer = this.options.clock.after(gatheringTimeoutMs, () =>
          reject(new Error('gathering timed out')),
        );
        this.#gathered = () => {
          timer.cancel();
          resolve();
        };
        begin(this);
      });
      this.#parameters = readParameters(this.#connection.localDescription()?.sdp ?? '');
    } catch (thrown) {
      this.close();
      throw thrown;
    }
  }

  #setRemote(section: MediaSection, type: 'offer' | 'answer'): void {
    this.#connection.setRemoteDescription(nativeSdp(section, this.options.family), type);
  }

  #stateChanged(state: string): void {
    if (this.#isClosed) return;
    this.#state = state;
    if (state !== 'connected' || this.#isOpen) this.options.onState(state);
  }
}

/** The role that the native engine is told the other side has: `active` whenever it leaves a choice, so that we are passive. */
export function remoteSetup(section: MediaSection): DtlsSetup {
  return section.setup === 'passive' ? 'passive' : 'active';
}

function nativeSdp(section: MediaSection, family: AddressFamily): string {
  const { ice, fingerprint } = section;
  return writeSession({
    origin: { username: '-', sessionId: '1', sessionVersion: '1', family: 4, host: '127.0.0.1' },
    bundle: ['0'],
    media: [
      {
        kind: 'audio',
        port: 9,
        protocol: defaultProtocol.webrtc,
        formats: ['0'],
        codecs: [{ payloadType: 0, name: 'PCMU', clockRate: 8000, channels: 1 }],
        address: { family: 4, host: '0.0.0.0' },
        direction: 'sendrecv',
        rtcpMux: true,
        bundleOnly: false,
        mid: '0',
        ...(ice === undefined ? {} : { ice }),
        ...(fingerprint === undefined ? {} : { fingerprint }),
        setup: remoteSetup(section),
        candidates: usableCandidates(section.candidates, family),
        endOfCandidates: false,
      },
    ],
  });
}

function readParameters(sdp: string): PeerParameters {
  const session = parseSession(sdp);
  if (session instanceof SipFailure) throw session;
  const section = session.media[0];
  const port = section?.candidates[0]?.port;
  if (section?.ice === undefined || section.fingerprint === undefined || port === undefined) {
    throw new Error('the native engine gave no candidate');
  }
  return { port, ice: section.ice, fingerprint: section.fingerprint };
}

function asFailure(thrown: unknown): SipFailure {
  if (thrown instanceof SipFailure) return thrown;
  const detail = thrown instanceof Error ? thrown.message : 'the native engine failed';
  return failure('media.failed', { detail, cause: thrown });
}
