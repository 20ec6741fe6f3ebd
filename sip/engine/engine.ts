import type { Clock } from '../clock.js';
import type { Log } from '../log.js';
import { parseAppMessage } from './binding/app-message.js';
import { AppRequests } from './binding/app-requests.js';
import type { Core, PendingInvite, PendingRequest, PendingSubscription } from './binding/core.js';
import { NetworkMessages, type MessageCounters } from './binding/network-messages.js';
import { sendOwnBye } from './binding/own-requests.js';
import type { StrangerPolicy } from './binding/strangers.js';
import type { ControlClient, SipCommand } from './control-protocol/control-client.js';
import { ControlServer, type ControlListener } from './control-protocol/control-server.js';
import { restoreDialog, stateOf, type DialogState } from './binding/restored-dialog.js';
import type { Dialog } from './dialog/dialog.js';
import { DialogTable } from './dialog/dialog-table.js';
import { sipUriOf } from './dialog/route-set.js';
import type { Hop } from './resolve/hop.js';
import { NextHops } from './resolve/next-hops.js';
import { Overload, type OverloadLimits } from './overload.js';
import { createTimers, type TimerBase, type Timers } from './timers.js';
import { TransactionTable } from './transaction/transaction-table.js';
import { sipHost } from './transport/local-address.js';
import { TransportPool, type ListenAddress } from './transport/pool.js';
import type { Rehearsal } from './transport/rehearsed-channel.js';
import type { TlsSettings } from './transport/tls-trust.js';

export type { DialogState } from './binding/restored-dialog.js';

const unknownTransaction = 'Response not sent due to unknown transaction';

export interface EngineOptions {
  readonly listen: readonly ListenAddress[];
  /** Put into Via and Contact instead of the listening address, for a NAT in front. */
  readonly externalAddress?: string;
  /** Needed to listen on TLS, and to send over it. */
  readonly tls?: TlsSettings;
  /** DNS servers, `address` or `address:port`; default: those of the machine. */
  readonly nameServers?: readonly string[];
  /** When given nothing is bound but the control port, and nothing is sent: it gets what would be. */
  readonly rehearsal?: Rehearsal;
  /** What applications authenticate with on the control port. */
  readonly secret: string;
  readonly log: Log;
  readonly clock: Clock;
  /** Undefined: everybody is served. */
  readonly strangers?: StrangerPolicy;
  /** Applications hear of 100 Trying to their INVITEs, which drachtio-server keeps to itself. Default: they do not. */
  readonly tellsTrying?: boolean;
  /** When new requests are refused; default: {@link defaultOverloadLimits}. */
  readonly overload?: OverloadLimits;
  /** Other values than those of RFC 3261 Table 4; for tests. */
  readonly timers?: TimerBase;
}

/** What was dropped or refused since the start. */
export interface EngineCounters extends Readonly<MessageCounters> {
  /** New requests that were refused because there was too much to do. */
  readonly overloaded: number;
}

/** A running SIP engine. */
export interface Engine {
  /** Port on 127.0.0.1 that speaks drachtio's control protocol. */
  readonly controlPort: number;
  /** What is listened on, with real ports. */
  readonly local: readonly ListenAddress[];
  /** Entries of every table; all but `clients` and `connections` fall to zero when the last call has ended. */
  sizes(): Record<string, number>;
  /** What was dropped or refused since the start. */
  readonly counters: EngineCounters;
  /** The addresses that a SIP URI stands for, in the order in which they are tried (RFC 3263); none when none can be reached. */
  hopsOf(uri: string): Promise<readonly Hop[]>;
  /** A confirmed INVITE dialog as another engine can go on with it; undefined when there is none of that id. */
  dialogState(dialogId: string): DialogState | undefined;
  /**
   * Goes on with a dialog of another engine, which must not have it any more: for the application that is connected.
   * False when there is none, or when the peer cannot be reached from here.
   */
  restoreDialog(state: DialogState): boolean;
  /**
   * Uses another certificate, other authorities and pins for new connections; those that are up stay. Throws when they
   * cannot be used: then the old ones stay in force.
   */
  renewTls(settings: TlsSettings): void;
  /** Ends what is left of calls, closes all sockets. Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts the embedded SIP engine, which drachtio-srf drives as it drives drachtio-server.
 * Rejects with the socket's error when an address cannot be listened on.
 */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const messages = new NetworkMessages(options.strangers);
  const { clock, log, externalAddress } = options;
  const pool = await TransportPool.open({
    listen: options.listen,
    externalAddress,
    tls: options.tls,
    rehearsal: options.rehearsal,
    sink: messages,
    clock,
    log,
  });
  const engine = new EmbeddedEngine(options, pool, messages);
  try {
    await engine.open();
  } catch (error) {
    engine.overload.close();
    await pool.close();
    throw error;
  }
  return engine;
}

class EmbeddedEngine implements Engine, Core, ControlListener {
  readonly clock: Clock;
  readonly log: Log;
  readonly timers: Timers;
  readonly hops: NextHops;
  readonly transactions: TransactionTable;
  readonly overload: Overload;
  readonly dialogs = new DialogTable();
  readonly pending = new Map<string, PendingRequest>();
  readonly invites = new Map<string, PendingInvite>();
  readonly invitedNames = new Map<string, number>();
  readonly tellsTrying: boolean;
  readonly subscriptions = new Map<string, PendingSubscription>();
  private readonly requests: AppRequests;
  private server: ControlServer | undefined;
  private sequence: number;
  private closing: Promise<void> | undefined;

  constructor(
    private readonly options: EngineOptions,
    readonly pool: TransportPool,
    private readonly messages: NetworkMessages,
  ) {
    this.clock = options.clock;
    this.log = options.log;
    this.timers = createTimers(options.timers);
    this.tellsTrying = options.tellsTrying === true;
    this.hops = new NextHops(pool, options);
    this.overload = new Overload(this.clock, this.log, options.overload);
    this.transactions = new TransactionTable(this.clock, this.timers);
    this.requests = new AppRequests(this);
    this.sequence = Math.floor(this.clock.nowMs() / 1000) % 2 ** 24;
  }

  async open(): Promise<void> {
    this.server = await ControlServer.listen({
      secret: this.options.secret,
      hostPorts: hostPorts(this.pool.advertised),
      localHostPorts: hostPorts(this.pool.local),
      listener: this,
      clock: this.clock,
      log: this.log,
    });
    this.messages.open(this);
    this.log.info(
      { listen: hostPorts(this.pool.local), controlPort: this.controlPort },
      'SIP engine listens',
    );
  }

  get control(): ControlServer {
    if (this.server === undefined) throw new Error('the engine is not open');
    return this.server;
  }

  get controlPort(): number {
    return this.control.port;
  }

  get local(): readonly ListenAddress[] {
    return this.pool.local;
  }

  get counters(): EngineCounters {
    return { ...this.messages.counters, overloaded: this.overload.refused };
  }

  hopsOf(text: string): Promise<readonly Hop[]> {
    const uri = sipUriOf(text);
    if (uri === undefined) return Promise.resolve([]);
    return new Promise((resolve) => this.hops.find(uri, undefined, resolve));
  }

  dialogState(dialogId: string): DialogState | undefined {
    const dialog = this.dialogs.named(dialogId);
    return dialog === undefined ? undefined : stateOf(dialog);
  }

  restoreDialog(state: DialogState): boolean {
    return restoreDialog(this, state);
  }

  renewTls(settings: TlsSettings): void {
    this.pool.renewTls(settings);
    this.log.info({}, 'TLS certificates renewed');
  }

  unserved(): void {
    this.messages.counters.strayResponses += 1;
  }

  nextSequence(): number {
    this.sequence += 1;
    return this.sequence;
  }

  sizes(): Record<string, number> {
    return {
      clientTransactions: this.transactions.clientCount,
      serverTransactions: this.transactions.serverCount,
      dialogs: this.dialogs.size,
      pendingRequests: this.pending.size,
      waitingRequests: this.overload.size,
      pendingInvites: this.invites.size,
      pendingSubscriptions: this.subscriptions.size,
      connections: this.pool.connectionCount,
      clients: this.server?.clientCount ?? 0,
    };
  }

  sip(client: ControlClient, command: SipCommand): void {
    try {
      const message = parseAppMessage(command.text);
      if (message === undefined) return client.refuse(command.id, 'invalid sip message');
      if (message.status === 0) return this.requests.handle(client, command, message);
      const pending = this.pending.get(command.transactionId);
      if (pending === undefined) return client.refuse(command.id, unknownTransaction);
      pending.answer(client, command, message);
    } catch (error) {
      this.log.error({ err: error }, 'defect while handling a control frame');
      client.refuse(command.id, 'Server error: internal');
    }
  }

  /** PROTOCOL §9; the dialogs can be adopted by another connection for 64·T1, then they are ended. */
  clientLost(client: ControlClient): void {
    for (const pending of [...this.pending.values()]) if (pending.owner === client) pending.ownerLost();
    for (const invite of [...this.invites.values()]) if (invite.owner === client) invite.ownerLost();
    const orphans = this.dialogs.all().filter((dialog) => dialog.owner === client);
    for (const dialog of orphans) dialog.owner = undefined;
    if (orphans.length === 0 || this.closing !== undefined) return;
    this.log.warn({ dialogs: orphans.length }, 'an application is gone and has left dialogs behind');
    this.clock.after(this.timers.lifetimeMs, () => {
      for (const dialog of orphans) this.endOrphan(dialog);
    });
  }

  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async shutDown(): Promise<void> {
    await this.server?.close();
    for (const pending of [...this.pending.values()]) pending.ownerLost();
    for (const invite of [...this.invites.values()]) invite.ownerLost();
    for (const dialog of this.dialogs.all()) this.endOrphan(dialog);
    this.messages.close();
    this.transactions.clear();
    for (const dialog of this.dialogs.all()) this.dialogs.end(dialog);
    this.subscriptions.clear();
    this.hops.close();
    this.overload.close();
    await this.pool.close();
  }

  private endOrphan(dialog: Dialog): void {
    if (dialog.kind === 'INVITE' && dialog.state === 'confirmed' && !dialog.byeSent) {
      sendOwnBye(this, dialog, 'the application is gone', false);
    } else this.dialogs.end(dialog);
  }
}

/** `proto/host:port`, comma-joined (PROTOCOL §3). */
function hostPorts(list: readonly ListenAddress[]): string {
  return list.map(({ transport, address, port }) => `${transport}/${sipHost(address)}:${port}`).join(',');
}
