import { randomBytes } from 'node:crypto';
import native from 'node-datachannel';
import { failure } from '../../failure.js';
import type { Clock } from '../../clock.js';
import { usableCandidates } from '../../sdp/candidates.js';
import type { AddressFamily, IceCredentials, MediaSection } from '../../sdp/description.js';
import { createDtlsCertificate, type DtlsCertificate } from './certificate.js';
import type { PeerPort, PeerPorts } from './peer-ports.js';

export interface PeerOptions {
  /** For the native library's own log. */
  readonly name: string;
  readonly bindAddress: string;
  readonly family: AddressFamily;
  readonly ports: PeerPorts;
  readonly clock: Clock;
  /** Called for each RTP and RTCP packet, decrypted. */
  onPacket(packet: Buffer): void;
  /** `connecting`, `connected` (packets can be sent), `disconnected`, `failed`. The last two are final. */
  onState(state: string): void;
}

/** Everything that our SDP tells about a peer, made before the peer itself: a call that is not answered costs no more. */
export class PeerParameters {
  readonly ice: IceCredentials;
  readonly certificate: DtlsCertificate;

  private constructor(
    readonly port: PeerPort,
    clock: Clock,
  ) {
    // Base64 digits are exactly the `ice-char`s; 48 and 192 random bits (RFC 8839 §5.4 asks for 24 and 128).
    this.ice = { ufrag: randomBytes(6).toString('base64'), pwd: randomBytes(24).toString('base64') };
    this.certificate = createDtlsCertificate(clock.nowMs());
  }

  /** Takes a port for the peer. Throws `media.no_ports` or `media.failed`. */
  static async prepare({ ports, clock }: PeerOptions): Promise<PeerParameters> {
    return new PeerParameters(await ports.take(), clock);
  }

  /** Gives the port back. Idempotent. */
  release(): void {
    this.port.release();
  }
}

/**
 * One native peer connection: ICE, DTLS and SRTP. It has one line and gives all packets to that, video too. It is made
 * when both sides' parameters are known and is always the native answerer: a native offerer starts ICE before it has stored
 * the fingerprint, and fails the handshake when that overtakes it. It never sees a browser's SDP but a minimal one that is
 * written from validated fields. It authenticates ICE and compares the certificate with the fingerprint by itself. It cannot
 * restart ICE: a new peer takes over then.
 */
export class Peer {
  readonly #connection: native.PeerConnection;
  readonly #track: native.Track;
  /** The native track opens a moment after the connection; before that sending throws. */
  #isOpen = false;
  #state = 'new';
  #isClosed = false;

  /**
   * @param remote the other side's section
   * @param isOfferer whether our SDP was the offer: the offerer's ICE controls (RFC 8445 §6.1.1)
   * @throws SipFailure `media.failed` when the native engine refuses; the parameters are released then
   */
  constructor(
    readonly parameters: PeerParameters,
    remote: MediaSection,
    isOfferer: boolean,
    private readonly options: PeerOptions,
  ) {
    const { certificate, port } = parameters;
    port.vacate();
    this.#connection = new native.PeerConnection(options.name, {
      iceServers: [],
      bindAddress: options.bindAddress,
      enableIceUdpMux: port.isShared,
      portRangeBegin: port.number,
      portRangeEnd: port.number,
      disableAutoNegotiation: true,
      certificatePemFile: certificate.certificatePem,
      keyPemFile: certificate.keyPem,
    });
    this.#connection.onStateChange((state) => this.#stateChanged(state));
    this.#track = this.#addTrack(this.#connection);
    this.#begin(remote, isOfferer);
  }

  /** True while packets can be sent. */
  get isConnected(): boolean {
    return this.#isOpen && this.#state === 'connected';
  }

  /** True when the connection is lost for good. */
  get hasFailed(): boolean {
    return this.#state === 'disconnected' || this.#state === 'failed' || this.#state === 'closed';
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
    this.parameters.release();
  }

  #begin(remote: MediaSection, isOfferer: boolean): void {
    const { ufrag, pwd } = this.parameters.ice;
    try {
      this.#connection.setRemoteDescription(nativeOffer(remote, this.options.family, isOfferer), 'offer');
      this.#connection.setLocalDescription('answer', { iceUfrag: ufrag, icePwd: pwd });
    } catch (thrown) {
      this.close();
      const detail = thrown instanceof Error ? thrown.message : 'the native engine failed';
      throw failure('media.failed', { detail, cause: thrown });
    }
  }

  #addTrack(connection: native.PeerConnection): native.Track {
    const audio = new native.Audio('0', 'SendRecv');
    audio.addAudioCodec(0, 'PCMU/8000');
    const track = connection.addTrack(audio);
    track.onMessage((packet) => this.options.onPacket(packet));
    track.onOpen(() => {
      if (this.#isClosed) return;
      this.#isOpen = true;
      this.#stateChanged(connection.state());
    });
    // The native side lets go of its handles after close only when somebody listens.
    track.onClosed(() => undefined);
    return track;
  }

  #stateChanged(state: string): void {
    if (this.#isClosed) return;
    this.#state = state;
    if (state !== 'connected' || this.#isOpen) this.options.onState(state);
  }
}

/** Our DTLS role towards a section: passive whenever the other side leaves the choice (RFC 5763 §5). */
export function ourDtlsRole(section: MediaSection): 'active' | 'passive' {
  return section.setup === 'passive' ? 'active' : 'passive';
}

/** The other side's section as the native engine gets it. It passes all payload types through, whatever is named here. */
function nativeOffer(section: MediaSection, family: AddressFamily, isOfferer: boolean): string {
  const { ice, fingerprint } = section;
  if (ice === undefined || fingerprint === undefined)
    throw new SyntaxError('no ICE credentials or fingerprint');
  return [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=group:BUNDLE 0',
    // The native answerer would be controlled; towards a lite agent it controls (RFC 8445 §6.1.1).
    ...(isOfferer ? ['a=ice-lite'] : []),
    'm=audio 9 UDP/TLS/RTP/SAVPF 0',
    'c=IN IP4 0.0.0.0',
    'a=mid:0',
    'a=sendrecv',
    'a=rtcp-mux',
    'a=rtpmap:0 PCMU/8000',
    `a=setup:${ourDtlsRole(section) === 'passive' ? 'active' : 'passive'}`,
    `a=ice-ufrag:${ice.ufrag}`,
    `a=ice-pwd:${ice.pwd}`,
    `a=fingerprint:${fingerprint.algorithm} ${fingerprint.value}`,
    ...usableCandidates(section.candidates, family).map(
      ({ foundation, component, transport, priority, host, port, type }) =>
        `a=candidate:${foundation} ${component} ${transport} ${priority} ${host} ${port} typ ${type}`,
    ),
    '',
  ].join('\r\n');
}
