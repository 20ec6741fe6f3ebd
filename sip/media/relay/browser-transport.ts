import { failure } from '../../failure.js';
import type { DtlsSetup, LocalTransport, MediaSection, SdpAddress } from '../../sdp/description.js';
import type { EndTransport } from './end-transport.js';
import { ourDtlsRole, Peer, PeerParameters, type PeerOptions } from './peer.js';

export interface BrowserTransportOptions {
  readonly address: SdpAddress;
  readonly peer: PeerOptions;
}

/** ICE and DTLS-SRTP: the browser's side. One peer at a time; an ICE restart prepares the next one beside it. */
export class BrowserTransport implements EndTransport {
  #current: Peer | undefined;
  /** The section that the current peer is connected to. */
  #remote: MediaSection | undefined;
  /** Our DTLS role, kept for as long as the association lasts (RFC 8842 §5.3). */
  #role: DtlsSetup = 'passive';
  /** What was put into an offer that the end has not answered. */
  #offered: PeerParameters | undefined;
  /** What is to be put into an answer. */
  #answering: PeerParameters | undefined;
  #isClosed = false;
  #mustRenew = false;

  constructor(private readonly options: BrowserTransportOptions) {}

  get isDown(): boolean {
    return this.#current?.isConnected === false;
  }

  /** Offers a new association, which restarts ICE, when there is none, when it is lost, or after {@link renew}. */
  async prepareOffer(): Promise<LocalTransport> {
    if (this.#current?.hasFailed === false && !this.#mustRenew)
      return this.#local(this.#current.parameters, 'actpass');
    this.#offered ??= await this.#prepare();
    return this.#local(this.#offered, 'actpass');
  }

  renew(): void {
    this.#mustRenew = true;
  }

  async reserve(): Promise<void> {
    this.#answering ??= this.#current === undefined ? await this.#prepare() : undefined;
  }

  async prepareAnswer(offer: MediaSection): Promise<LocalTransport> {
    if (this.#current !== undefined && isSameAssociation(this.#remote, offer)) {
      return this.#local(this.#current.parameters, this.#role);
    }
    this.#answering ??= await this.#prepare();
    return this.#local(this.#answering, ourDtlsRole(offer));
  }

  applyOffer(section: MediaSection): void {
    if (this.#answering !== undefined) this.#replace(this.#answering, section, false);
  }

  applyAnswer(section: MediaSection): void {
    if (this.#offered !== undefined) {
      this.#replace(this.#offered, section, true);
    } else if (!isSameAssociation(this.#remote, section)) {
      // Only an offer may restart ICE or DTLS (RFC 8839 §4.4.1.1.1); the peer could not follow.
      throw failure('media.failed', { detail: 'the answer belongs to another ICE or DTLS association' });
    }
  }

  abandon(): void {
    this.#answering?.release();
    this.#answering = undefined;
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
    this.#offered?.release();
    this.#offered = undefined;
    this.#current?.close();
    this.#current = undefined;
  }

  #replace(parameters: PeerParameters, remote: MediaSection, isOfferer: boolean): void {
    const peer = new Peer(parameters, remote, isOfferer, this.options.peer);
    this.#current?.close();
    this.#current = peer;
    this.#remote = remote;
    this.#role = ourDtlsRole(remote);
    for (const unused of [this.#offered, this.#answering]) if (unused !== parameters) unused?.release();
    this.#offered = undefined;
    this.#answering = undefined;
    this.#mustRenew = false;
  }

  async #prepare(): Promise<PeerParameters> {
    const parameters = await PeerParameters.prepare(this.options.peer);
    if (!this.#isClosed) return parameters;
    parameters.release();
    throw failure('media.failed', { detail: 'the media session was closed' });
  }

  #local({ port, ice, certificate }: PeerParameters, setup: DtlsSetup): LocalTransport {
    const { fingerprint } = certificate;
    const { address } = this.options;
    return { profile: 'webrtc', address, port: port.number, ice, fingerprint, setup };
  }
}

/** A changed ufrag, password or fingerprint asks for a new association (RFC 8839 §4.4.1.1.1, RFC 8842 §4). */
function isSameAssociation(known: MediaSection | undefined, offer: MediaSection): boolean {
  return (
    known?.ice?.ufrag === offer.ice?.ufrag &&
    known?.ice?.pwd === offer.ice?.pwd &&
    known?.fingerprint?.value === offer.fingerprint?.value
  );
}
