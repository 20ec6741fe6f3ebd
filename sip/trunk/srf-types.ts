import drachtioSrf from 'drachtio-srf';
import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';

/**
 * What drachtio-srf 5 really does, as far as sip/trunk relies on it (its shipped types are incomplete and in part wrong).
 * Everything that comes from it is read with received-message.ts before it leaves this folder.
 */

/** Header fields as srf takes them; one string per name. */
export type SrfHeaders = Record<string, string>;

export interface SrfMessage {
  /** The SIP text as it stood on the wire. */
  readonly raw?: string;
  readonly body?: string;
  get(name: string): string | undefined;
  has(name: string): boolean;
}

/** `opts` of `Response#send`. */
export interface SrfSendOptions {
  readonly headers: SrfHeaders;
  readonly body?: string;
}

export interface SrfResponse extends SrfMessage {
  readonly status: number;
  readonly reason?: string;
  readonly msg: SrfMessage;
  readonly protocol?: string;
  /** Empty when the engine made the response itself. */
  readonly source_address?: string;
  readonly source_port?: number;
  readonly stackDialogId?: string;
  /** Throws on a status that it does not know; ignored after a final one. `error` is the engine's NOK text. */
  send(
    status: number,
    reason: string,
    options: SrfSendOptions,
    callback: (error: unknown, sent?: SrfMessage) => void,
  ): void;
}

/** Sends the ACK of a final response to INVITE, or the PRACK of a reliable provisional one. */
export type SrfAck = (options?: { readonly body?: string }) => void;

export interface SrfRequest extends SrfMessage, EventEmitter {
  readonly method: string;
  readonly uri: string;
  readonly msg: SrfMessage;
  readonly source: 'network' | 'application';
  readonly source_address: string;
  readonly source_port: number;
  readonly protocol: string;
  readonly receivedOn?: string;
  readonly stackDialogId?: string;
  readonly stackTxnId: string;
  readonly res: SrfResponse;
  cancel(options: { readonly headers: SrfHeaders }, callback: (error: unknown) => void): void;
}

export interface SrfDialog extends EventEmitter {
  readonly id: string;
  readonly type: 'uac' | 'uas';
  readonly sip: { readonly callId: string; readonly localTag: string; readonly remoteTag: string };
  /** The response that made the dialog. */
  readonly res: SrfResponse;
  readonly local: { sdp?: string; readonly contact?: string };
  /** srf's own handler of re-INVITEs assumes that `sdp` is a string. */
  readonly remote: { sdp?: string };
}

/** What `createUAC` hands out for a 200 with an offer: nothing has been acknowledged yet. */
export interface SrfLateOffer {
  readonly sdp: string;
  readonly res: SrfResponse;
  ack(localSdp: string | undefined): Promise<SrfDialog>;
}

export interface SrfRequestOptions {
  readonly uri: string;
  readonly method: string;
  readonly headers: SrfHeaders;
  readonly body?: string;
  readonly proxy?: string;
  /** Makes it a request inside that dialog. */
  readonly stackDialogId?: string;
}

export interface SrfUacOptions {
  readonly headers: SrfHeaders;
  readonly localSdp?: string;
  readonly noAck: true;
  readonly proxy?: string;
}

export interface SrfUacProgress {
  cbRequest(error: unknown, request?: SrfRequest): void;
  cbProvisional(response: SrfResponse): void;
}

type SrfMiddleware = (request: SrfRequest, response: SrfResponse, next: (error?: unknown) => void) => void;

/** Tables that srf keeps for one control connection. */
export interface SrfServerTables {
  readonly pendingSipRequests: ReadonlyMap<string, unknown>;
  readonly pendingNetworkInvites: ReadonlyMap<string, unknown>;
  readonly pendingAckOrPrack: ReadonlyMap<string, unknown>;
}

/** An Srf with one connection to the engine. Its callback forms throw when that connection is gone. */
export interface SrfStack extends EventEmitter {
  connect(options: {
    readonly host: string;
    readonly port: number;
    readonly secret: string;
    readonly reconnect: { readonly maxAttempts: number };
    readonly tls?: { readonly ca?: string; readonly servername?: string };
  }): void;
  disconnect(): void;
  use(handler: SrfMiddleware): void;
  use(method: string, handler: SrfMiddleware): void;
  request(options: SrfRequestOptions, callback: (error: unknown, request?: SrfRequest) => void): void;
  createUAS(
    request: SrfRequest,
    response: SrfResponse,
    options: { readonly localSdp: string; readonly headers: SrfHeaders },
    callback: (error: unknown, dialog?: SrfDialog) => void,
  ): void;
  createUAC(
    uri: string,
    options: SrfUacOptions,
    progress: SrfUacProgress,
    callback: (error: unknown, answered?: SrfDialog | SrfLateOffer) => void,
  ): void;
  addDialog(dialog: SrfDialog): void;
  removeDialog(dialog: SrfDialog): void;
  readonly _dialogs: ReadonlyMap<string, unknown>;
  readonly app: {
    readonly client: {
      readonly wp: EventEmitter & { send(socket: Socket, frame: string): string };
      readonly mapServer: ReadonlyMap<Socket, SrfServerTables>;
    };
  };
}

interface SrfConstructor {
  new (): SrfStack;
  readonly Dialog: new (
    srf: SrfStack,
    type: 'uac' | 'uas',
    parts: {
      readonly req: SrfRequest;
      readonly res: SrfResponse;
      /** Our answer, in the dialog of a peer's INVITE. */
      readonly sent?: SrfResponse;
    },
  ) => SrfDialog;
}

/** drachtio-srf, typed. */
export const Srf = drachtioSrf as unknown as SrfConstructor;
