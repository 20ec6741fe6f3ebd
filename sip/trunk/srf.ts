import type { Clock, Timer } from '../clock.js';
import { failure, type SipFailure } from '../failure.js';
import type {
  CalleeLeg,
  CalleeListener,
  HeaderList,
  InDialogResponse,
  Invitation,
  Leg,
  LegListener,
} from '../leg.js';
import type { Log } from '../log.js';
import { newCallId, newTag } from '../message/index.js';
import { BackOff } from './back-off.js';
import { noDialogNotes, type DialogNotes, type OpenInvite } from './dialog-notes.js';
import { engineAway, refusalOf } from './engine-failure.js';
import { toInDialogResponse } from './in-dialog-messages.js';
import type { SubscriptionListener } from '../subscription.js';
import { transportOf } from './header-record.js';
import { nextHopOf, originHeaders } from './invite-options.js';
import { LeftDialog } from './left-dialog.js';
import { endLeftInvite } from './left-invite.js';
import { LegTable } from './leg-table.js';
import { pingParty, pingTimeout } from './options-ping.js';
import { RestoredTrunkLeg, type RestorableTrunkLeg } from './restored-leg.js';
import { SrfConnection, type EngineAddress } from './srf-connection.js';
import { TrunkCalleeLeg } from './trunk-callee-leg.js';
import { TrunkIngress, type TrunkIngressListener } from './trunk-ingress.js';
import { TrunkSubscription } from './trunk-subscription.js';
import type { TrunkMessage } from './trunk-message.js';
import type { TrunkTarget } from './trunk-target.js';

export type { DialogNotes, OpenInvite } from './dialog-notes.js';
export type { RestorableTrunkLeg } from './restored-leg.js';
export type { EngineTls } from './srf-connection.js';
export type { TrunkSource } from './trunk-ingress.js';
export type { TrunkMessage } from './trunk-message.js';
export type { TrunkTarget } from './trunk-target.js';

/** What a trunk stack tells. Calls of a lost connection have ended when `disconnected` comes. */
export interface TrunkStackListener extends TrunkIngressListener {
  connected(): void;
  disconnected(why: SipFailure): void;
  /** A message was refused with `trunk.too_large` because the engine cannot take it. */
  frameTooLarge(sizeBytes: number): void;
}

/** The final answer to a request outside any dialog. */
export interface OutOfDialogResponse extends InDialogResponse {
  /** Contact of the request as it was sent: by which address the engine wants to be reached. */
  readonly ownContact?: string | undefined;
}

const noEntries = { requests: 0, dialogs: 0, transactions: 0 };

/**
 * Connects to the SIP engine and stays connected until closed. Never throws; `listener.connected` follows. `notes` hears of
 * the dialogs that the engine holds for us.
 */
export function connectTrunkStack(
  engine: EngineAddress,
  listener: TrunkStackListener,
  log: Log,
  clock: Clock,
  notes: DialogNotes = noDialogNotes,
): TrunkStack {
  return new TrunkStack(engine, listener, log, clock, notes);
}

/** The PBX side's SIP: calls and requests through the engine, and the connection to it. */
export class TrunkStack {
  readonly #legs = new LegTable();
  readonly #backOff = new BackOff();
  #connection: SrfConnection | undefined;
  #retry: Timer | undefined;
  /** The loss of the engine has been told, its return not yet. */
  #away = false;
  #closed = false;

  constructor(
    private readonly engine: EngineAddress,
    private readonly listener: TrunkStackListener,
    private readonly log: Log,
    private readonly clock: Clock,
    private readonly notes: DialogNotes,
  ) {
    this.#connect();
  }

  get connected(): boolean {
    return this.#connection?.ready === true;
  }

  /** Sends an INVITE. Throws a SipFailure (`trunk.engine_away`) when there is no engine to send it. */
  invite(target: TrunkTarget, invitation: Invitation, listener: CalleeListener): CalleeLeg {
    const { srf } = this.#ready();
    const { clock, log, notes } = this;
    const leg = new TrunkCalleeLeg(target, invitation, listener, { srf, clock, log, notes }, this.#legs);
    leg.invite();
    return leg;
  }

  /**
   * Asks a target with OPTIONS (RFC 3261 §11). Resolves with its answer, whatever it is; rejects with `trunk.timeout`,
   * `trunk.unreachable` or `trunk.engine_away`.
   */
  async options(target: TrunkTarget, timeoutMs: number): Promise<{ status: number; reason: string }> {
    const parties = { from: pingParty, to: { uri: target.requestUri } };
    const answer = this.request('OPTIONS', target, { ...parties, headers: [['Accept', 'application/sdp']] });
    const { status, reason } = await pingTimeout(answer, timeoutMs, this.clock);
    return { status, reason };
  }

  /** Sends a request outside any dialog. Resolves with the peer's final response; rejects like {@link options}. */
  async request(method: string, target: TrunkTarget, message: TrunkMessage): Promise<OutOfDialogResponse> {
    const { sender, addresses } = this.#ready();
    const { content, headers = [], pathUser, ids = { callId: newCallId(), fromTag: newTag() } } = message;
    if (message.contact === '*' && !addresses.isEmbedded) throw starContact();
    const path: HeaderList =
      pathUser === undefined ? [] : [['Path', addresses.pathFor(pathUser, transportOf(nextHopOf(target)))]];
    const typed: HeaderList = content === undefined ? [] : [['Content-Type', content.contentType]];
    const { response, ownContact } = await sender.send(
      { requestUri: target.requestUri, nextHop: nextHopOf(target) },
      {
        method,
        headers: [...originHeaders(target, message, ids), ...path, ...typed, ...headers],
        auth: target.auth,
        ...(content === undefined ? {} : { body: content.body }),
      },
    );
    if (response.source_address === '') throw refusalOf(response).failure;
    return { ...toInDialogResponse(response), ownContact };
  }

  /**
   * A subscription that `subscribe` of it begins. Throws `trunk.engine_away` when there is no engine. Its listener hears
   * NOTIFYs from then on.
   */
  subscription(target: TrunkTarget, listener: SubscriptionListener): TrunkSubscription {
    const { sender } = this.#ready();
    const { clock, log } = this;
    return new TrunkSubscription({ sender, legs: this.#legs, clock, log }, target, listener);
  }

  /** Goes on with a leg of an earlier process whose dialog the engine has. Throws `trunk.engine_away`. */
  restore(leg: RestorableTrunkLeg, listener: LegListener): Leg {
    const { srf } = this.#ready();
    const { clock, log, notes } = this;
    return new RestoredTrunkLeg(leg, listener, { srf, clock, log, notes }, this.#legs);
  }

  /** Ends a dialog that no leg of ours has: one that {@link DialogNotes} has told of; see {@link LeftDialog.end}. */
  async endLeftDialog(dialogId: string): Promise<{ status: number; reason: string }> {
    const { srf } = this.#ready();
    const { clock, log, notes } = this;
    return new LeftDialog(dialogId, { srf, clock, log, notes }, this.#legs).end();
  }

  /** Ends an INVITE that no leg of ours has; see {@link endLeftInvite}. */
  async endLeftInvite(invite: OpenInvite): Promise<string> {
    return endLeftInvite(invite, this.#ready().commands);
  }

  /** Entries in every table; zero when no call and no request is open. */
  sizes(): {
    readonly legs: number;
    readonly requests: number;
    readonly dialogs: number;
    readonly transactions: number;
  } {
    const { requests, dialogs, transactions } = this.#connection?.sizes() ?? noEntries;
    return { legs: this.#legs.size, requests, dialogs, transactions };
  }

  /** Ends the connection and every call that is still there. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#retry?.cancel();
    await this.#connection?.close();
  }

  #ready(): SrfConnection {
    if (this.#connection?.ready !== true) throw engineAway();
    return this.#connection;
  }

  #connect(): void {
    const { clock, log, listener, notes } = this;
    const connection: SrfConnection = new SrfConnection(
      this.engine,
      {
        ready: () => this.#becomeReady(),
        gone: (why, refused) => this.#lose(why, refused),
        request: (request, response) => ingress.receive(request, response),
        frameTooLarge: (sizeBytes) => listener.frameTooLarge(sizeBytes),
      },
      clock,
      log,
    );
    const { srf } = connection;
    const addresses = () => connection.addresses;
    const ingress = new TrunkIngress({ srf, legs: this.#legs, clock, log, notes, addresses }, listener);
    this.#connection = connection;
  }

  #becomeReady(): void {
    this.#backOff.reset();
    this.#away = false;
    this.log.info({ host: this.engine.host, port: this.engine.port }, 'connected to the SIP engine');
    this.listener.connected();
  }

  #lose(why: SipFailure, refused: boolean): void {
    this.#connection = undefined;
    for (const leg of this.#legs.all()) leg.lose(why);
    if (this.#closed) return;
    this.#tell(why);
    if (refused) this.#backOff.slowDown();
    this.#retry = this.clock.after(this.#backOff.next(), () => this.#connect());
  }

  /** Tells of a loss once, not of every attempt that fails after it. */
  #tell(why: SipFailure): void {
    const { host, port } = this.engine;
    if (this.#away) return this.log.debug({ host, port, why: why.detail }, 'still no SIP engine');
    this.#away = true;
    this.log.error({ host, port, why: why.detail }, 'no connection to the SIP engine');
    this.listener.disconnected(why);
  }
}

/** drachtio-server dies of `Contact: *`, whoever sends it. */
function starContact(): SipFailure {
  const detail = 'drachtio-server cannot send Contact: *';
  return failure('trunk.protocol', { status: 501, reason: 'Not Implemented', detail });
}
