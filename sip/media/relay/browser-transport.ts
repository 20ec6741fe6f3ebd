import { failure } from '../../failure.js';
import type {
  IceCredentials,
  DtlsSetup,
  LocalTransport,
  MediaSection,
  SdpAddress,
  SdpFingerprint,
} from '../../sdp/description.js';
import type { EndTransport } from './end-transport.js';
import { Peer, remoteSetup, type PeerOptions } from './peer.js';

export interface BrowserTransportOptions {
  readonly address: SdpAddress;
  readonly peer: PeerOptions;
}

/** What tells one ICE and DTLS association from the next (RFC 8839 §4.4.1.1.1, RFC 8842 §4). */
interface Association {
  readonly ice: IceCredentials | undefined;
  readonly fingerprint: SdpFingerprint | undefined;
}

/** ICE and DTLS-SRTP: the browser's side. One peer at a time; an ICE restart prepares the next one beside it. */
export class BrowserTransport implements EndTransport {
  #current: Peer | undefined;
  #offering: Promise<Peer> | undefined;
  /** The answering peer that takes over when the answer is agreed on. */
  #next: Peer | undefined;
  /** What the current peer is connected to; undefined while our first offer is unanswered. */
  #remote: Association | undefined;
  /** Our DTLS role, kept for as long as the association lasts (RFC 8842 §5.3). */
  #role: DtlsSetup = 'passive';
  #isClosed = false;

  constructor(private readonly options: BrowserTransportOptions) {}

  get isDown(): boolean {
    return this.#remote !== undefined && this.#current?.isConnected !== true;
  }

  async prepareOffer(): Promise<LocalTransport> {
    return this.#local(this.#current ?? (await this.#offer()), 'actpass');
  }

  async reserve(): Promise<void> {
    // The peer that answers needs the answer's ports only; they are taken then.
  }

  async prepareAnswer(offer: MediaSection): Promise<LocalTransport> {
    const role = remoteSetup(offer) === 'passive' ? 'active' : 'passive';
    if (this.#current !== undefined && isSame(this.#remote, offer))
      return this.#local(this.#current, this.#role);
    this.abandon();
    this.#next = this.#adopt(await Peer.answering(this.options.peer, offer));
    return this.#local(this.#next, role);
  }

  abandon(): void {
    this.#next?.close();
    this.#next = undefined;
  }

  apply(section: MediaSection): void {
    const remote = remoteSetup(section) === 'passive' ? 'active' : 'passive';
    if (this.#next !== undefined) {
      this.#current?.close();
      this.#current = this.#next;
      this.#next = undefined;
    } else if (this.#remote === undefined) {
      this.#current?.acceptAnswer(section);
    } else {
      return;
    }
    this.#role = remote;
    this.#remote = { ice: section.ice, fingerprint: section.fingerprint };
  }

  sendRtp(packet: Buffer): boolean {
    return this.#current?.send(packet) ?? false;
  }

  sendRtcp(packet: Buffer): boolean {
    return this.sendRtp(packet);
  }

  close(): void {
    this.#isClosed = true;
    this.abandon();
    this.#current?.close();
    this.#current = undefined;
    this.#remote = undefined;
  }

  #offer(): Promise<Peer> {
    this.#offering ??= Peer.offering(this.options.peer)
      .then((peer) => (this.#current = this.#adopt(peer)))
      .finally(() => (this.#offering = undefined));
    return this.#offering;
  }

  /** A peer that was started before the end was closed must not outlive it. */
  #adopt(peer: Peer): Peer {
    if (!this.#isClosed) return peer;
    peer.close();
    throw failure('media.failed', { detail: 'the media session was closed' });
  }

  #local(peer: Peer, setup: DtlsSetup): LocalTransport {
    return { profile: 'webrtc', address: this.options.address, ...peer.parameters, setup };
  }
}

function isSame(known: Association | undefined, offer: MediaSection): boolean {
  return (
    known !== undefined &&
    known.ice?.ufrag === offer.ice?.ufrag &&
    known.ice?.pwd === offer.ice?.pwd &&
    known.fingerprint?.value === offer.fingerprint?.value
  );
}
