import { isIPv4 } from 'node:net';
import type { ControlClient } from '../control-protocol/control-client.js';
import type { Channel } from '../transport/channel.js';
import type { ReceivedRequest } from '../wire/received.js';
import { isPrivateIPv4 } from '../transport/local-address.js';
import { pathTo, type Path } from './route-set.js';

/** What a dialog is made of (RFC 3261 §12.1). Header values are complete, with tags. */
export interface DialogOptions {
  /** `<Call-ID>;from-tag=<tag of the request that made it>`: how applications name it. */
  readonly id: string;
  readonly kind: 'INVITE' | 'SUBSCRIBE';
  readonly role: 'uac' | 'uas';
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  /** From of the requests that we send. */
  readonly localParty: string;
  /** To of the requests that we send. */
  readonly remoteParty: string;
  readonly localSequence: number;
  readonly remoteSequence: number | undefined;
  readonly localContact: string;
  readonly remoteTarget: string;
  readonly routeSet: readonly string[];
  /** How the peer's last message came. */
  readonly channel: Channel;
  readonly owner: ControlClient | undefined;
}

/** A 2xx to INVITE that we sent and that waits for its ACK. */
export interface UnacknowledgedAnswer {
  readonly sequence: number;
  /** Of the INVITE; empty for a re-INVITE, whose ACK gets an id of its own (PROTOCOL §4.3). */
  readonly transactionId: string;
  /** Ends the retransmission. */
  stop(): void;
  /** Requests that may go out only after the ACK (RFC 3261 §15). */
  readonly held: (() => void)[];
}

/** A 2xx to an INVITE of ours that waits for the application's ACK. */
export interface UnacknowledgedInvite {
  /** CSeq of the INVITE. */
  readonly sequence: number;
  /** Authorization header field lines of the INVITE, which its ACK repeats (RFC 3261 §22.1). */
  readonly credentials: string;
  /** Told once the ACK was sent, to repeat it for retransmitted 2xx (RFC 3261 §13.2.2.4). */
  acknowledged(ack: Buffer, channel: Channel): void;
}

/** An INVITE of the peer that has no final response yet. */
export interface DialogInvite {
  /** Ends it with that status; the application is told as if the peer had cancelled. */
  terminate(status: number): void;
  /** Takes the RAck of a PRACK; false when it acknowledges nothing. */
  acknowledgeProvisional(rack: string): boolean;
  /** Takes an UPDATE that comes before its final response; false when another is pending (RFC 3311 §5.2). */
  takeUpdate(update: ReceivedRequest): boolean;
}

/** One SIP dialog (RFC 3261 §12). Its fields are written by the binding layer; the table is its remover. */
export class Dialog {
  readonly id: string;
  readonly kind: 'INVITE' | 'SUBSCRIBE';
  readonly role: 'uac' | 'uas';
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  readonly localParty: string;
  readonly remoteParty: string;
  state: 'early' | 'confirmed' | 'ended' = 'early';
  owner: ControlClient | undefined;
  localContact: string;
  localSequence: number;
  remoteSequence: number | undefined;
  /** Our 2xx that waits for its ACK. */
  answer: UnacknowledgedAnswer | undefined;
  /** The peer's 2xx that waits for the application's ACK. */
  awaitingAck: UnacknowledgedInvite | undefined;
  /** The peer's INVITE that has no final response yet. */
  invite: DialogInvite | undefined;
  /** A re-INVITE of ours has no final response yet (RFC 3261 §14.1). */
  inviteOut = false;
  /** The last session description of an INVITE or its answer that we sent: what a session refresh repeats. */
  localSdp = '';
  /** RFC 4028; undefined while there was none. */
  sessionTimer:
    | {
        arm(seconds: number, weRefresh: boolean, refreshMs?: number): void;
        readonly interval: { readonly seconds: number; readonly weRefresh: boolean } | undefined;
      }
    | undefined;
  /** RFC 6665 §4.1.2; undefined in dialogs of INVITE. */
  subscriptions: { arm(event: string, seconds: number): void } | undefined;
  /** While a session refresh of our own is under way: INVITEs of the application that wait for its end (RFC 3261 §14.1). */
  waitingForRefresh: (() => void)[] | undefined;
  /** We have sent BYE. */
  byeSent = false;
  /** The peer's last requests came this way. */
  channel: Channel;
  /** Called when the dialog ends, to stop what belongs to it. */
  readonly cleanups: (() => void)[] = [];
  private target: string;
  private routes: readonly string[];
  private cachedPath: Path | undefined;

  constructor(options: DialogOptions) {
    this.id = options.id;
    this.kind = options.kind;
    this.role = options.role;
    this.callId = options.callId;
    this.localTag = options.localTag;
    this.remoteTag = options.remoteTag;
    this.localParty = options.localParty;
    this.remoteParty = options.remoteParty;
    this.owner = options.owner;
    this.localContact = options.localContact;
    this.localSequence = options.localSequence;
    this.remoteSequence = options.remoteSequence;
    this.channel = options.channel;
    this.target = options.remoteTarget;
    this.routes = options.routeSet;
  }

  get remoteTarget(): string {
    return this.target;
  }

  get routeSet(): readonly string[] {
    return this.routes;
  }

  get hasRoutes(): boolean {
    return this.routes.length > 0;
  }

  /** Where our next request goes. */
  get path(): Path {
    return (this.cachedPath ??= pathTo(this.target, this.routes));
  }

  /** Target refresh (RFC 3261 §12.2.1.2, §12.2.2). */
  refreshTarget(target: string | undefined): void {
    if (target === undefined || target === this.target) return;
    this.target = target;
    this.cachedPath = undefined;
  }

  /** The 2xx fixes the route set that provisional responses had proposed (RFC 3261 §13.2.2.4). */
  confirm(target: string | undefined, routeSet: readonly string[]): void {
    this.state = 'confirmed';
    this.routes = routeSet;
    this.cachedPath = undefined;
    this.refreshTarget(target);
  }

  /**
   * Whether requests go to the packet source instead of the remote target: a UDP peer without Record-Route whose
   * Contact is a private address that its packets do not come from.
   * Interop: drachtio-server does the same for peers behind a NAT.
   */
  get isBehindNat(): boolean {
    const { nextHop } = this.path;
    if (this.hasRoutes || this.channel.reliable || nextHop === undefined || !isIPv4(nextHop.host))
      return false;
    const source = this.channel.remote.address;
    if (nextHop.host === source) return false;
    return isPrivateIPv4(nextHop.host) && isIPv4(source) && !isPrivateIPv4(source);
  }
}
