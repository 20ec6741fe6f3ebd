import type { Clock } from '../../clock.js';
import type { Log } from '../../log.js';
import type { ControlClient, SipCommand } from '../control-protocol/control-client.js';
import type { ControlServer } from '../control-protocol/control-server.js';
import type { Dialog } from '../dialog/dialog.js';
import type { DialogTable } from '../dialog/dialog-table.js';
import type { NextHops } from '../resolve/next-hops.js';
import type { Overload } from '../overload.js';
import type { Timers } from '../timers.js';
import type { TransactionTable } from '../transaction/transaction-table.js';
import type { TransportPool } from '../transport/pool.js';
import type { ReceivedRequest } from '../wire/received.js';
import type { AppMessage } from './app-message.js';

/** A request from the network that waits for the application's response. */
export interface PendingRequest {
  /** Whose answer is awaited. */
  readonly owner: ControlClient;
  /** The application's response. */
  answer(client: ControlClient, command: SipCommand, response: AppMessage): void;
  /** The application is gone. */
  ownerLost(): void;
}

/** An INVITE of the application that has no final response yet. */
export interface PendingInvite {
  readonly owner: ControlClient | undefined;
  /** The application's CANCEL. */
  cancel(client: ControlClient, command: SipCommand, request: AppMessage): void;
  ownerLost(): void;
}

/** A SUBSCRIBE of the application that has no final response yet. */
export interface PendingSubscription {
  /** A NOTIFY has overtaken that response: it makes the dialog (RFC 6665 §4.1.2.4), unless the application is gone. */
  notified(notify: ReceivedRequest): Dialog | undefined;
}

/** What the parts of the engine share. */
export interface Core {
  readonly clock: Clock;
  readonly log: Log;
  readonly timers: Timers;
  readonly pool: TransportPool;
  readonly hops: NextHops;
  readonly transactions: TransactionTable;
  readonly overload: Overload;
  readonly dialogs: DialogTable;
  readonly control: ControlServer;
  /** By the transaction id that the application knows; removed by the final response or the transaction's end. */
  readonly pending: Map<string, PendingRequest>;
  /** The same for INVITEs that the application sent. */
  readonly invites: Map<string, PendingInvite>;
  /** How many of those are to make a dialog of this id. */
  readonly invitedNames: Map<string, number>;
  /** Whether applications hear of 100 Trying to an INVITE that is to make a dialog. */
  readonly tellsTrying: boolean;
  /** By {@link subscriptionKey}; removed by the final response. */
  readonly subscriptions: Map<string, PendingSubscription>;
  /** Counts a response that is dropped. */
  unserved(): void;
  /** CSeq of the next request outside dialogs. */
  nextSequence(): number;
}

/** What a SUBSCRIBE and its first NOTIFY have in common: Call-ID and our tag. */
export function subscriptionKey(callId: string, localTag: string): string {
  return `${callId}|${localTag}`;
}

/** How applications name a dialog: by Call-ID and From tag of the request that makes it (PROTOCOL §0). */
export function uacDialogId(callId: string, fromTag: string): string {
  return `${callId};from-tag=${fromTag}`;
}

/**
 * The same for a request of the peer. When a proxy sends an INVITE of ours back to us (a spiral, RFC 3261 §6), both ends of the
 * one dialog are here: the second end has a name of its own.
 */
export function uasDialogId(core: Core, callId: string, fromTag: string | undefined): string {
  const id = uacDialogId(callId, fromTag ?? '');
  const isOurs = core.invitedNames.has(id) || core.dialogs.named(id)?.role === 'uac';
  return isOurs ? `${id};spiral` : id;
}
