import { once, type EventEmitter } from 'node:events';
import drachtioSrf from 'drachtio-srf';

/** What the tests use of drachtio-srf 5; its own types leave much of it out. */
export interface SrfMessage {
  readonly body: string;
  readonly raw: string;
  readonly status: number;
  readonly reason: string;
  readonly method: string;
  readonly uri: string;
  get(name: string): string;
  has(name: string): boolean;
}

export interface SrfResponse extends SrfMessage {
  readonly source_address: string;
  readonly source_port: number;
  readonly protocol: string;
  send(
    status: number,
    options?: object,
    callback?: (error: unknown, sent?: SrfMessage) => void,
    onPrack?: (prack: SrfMessage) => void,
  ): void;
  send(
    status: number,
    reason: string,
    options: object,
    callback?: (error: unknown, sent?: SrfMessage) => void,
  ): void;
}

export interface SrfRequest extends SrfMessage, EventEmitter {
  readonly source: string;
  readonly source_address: string;
  readonly source_port: number;
  readonly protocol: string;
  readonly receivedOn: string;
  readonly stackTxnId: string;
  readonly stackDialogId: string;
  readonly res: SrfResponse;
  cancel(options: object, callback: (error: unknown) => void): void;
}

export interface SrfDialog extends EventEmitter {
  readonly id: string;
  readonly sip: { readonly callId: string; readonly localTag: string; readonly remoteTag: string };
  readonly local: { readonly uri: string; readonly sdp: string };
  readonly remote: { readonly uri: string; readonly sdp: string };
  destroy(options?: object): Promise<SrfRequest>;
  request(options: { method: string; headers?: Record<string, string>; body?: string }): Promise<SrfResponse>;
}

type Handler = (request: SrfRequest, response: SrfResponse) => void;

export interface SrfApp extends EventEmitter {
  connect(options: { host: string; port: number; secret: string }): void;
  disconnect(): void;
  use(method: string, handler: Handler): void;
  invite(handler: Handler): void;
  request(
    uri: string,
    options: object,
    callback: (error: (Error & { code?: string }) | null, request: SrfRequest) => void,
  ): void;
  request(
    options: object,
    callback: (error: (Error & { code?: string }) | null, request: SrfRequest) => void,
  ): void;
  /** `callback` has the dialog before anything can happen to it. */
  createUAS(
    request: SrfRequest,
    response: SrfResponse,
    options: object,
    callback: (error: Error | null, dialog: SrfDialog) => void,
  ): void;
  createUAS(request: SrfRequest, response: SrfResponse, options: object): Promise<SrfDialog>;
  createUAC(
    uri: string,
    options: object,
    progress?: {
      cbRequest?: (error: unknown, request: SrfRequest) => void;
      cbProvisional?: (response: SrfResponse) => void;
    },
  ): Promise<SrfDialog>;
}

const Srf = drachtioSrf as unknown as new () => SrfApp;

/** A drachtio-srf application that is connected and authenticated. */
export async function connectSrf(port: number, secret: string, host = '127.0.0.1'): Promise<SrfApp> {
  const srf = new Srf();
  srf.connect({ host, port, secret });
  const [error] = (await once(srf, 'connect')) as [Error | null];
  if (error !== null) throw error;
  return srf;
}

/** A SIP failure that createUAC rejected with. */
export function statusOf(error: unknown): number {
  return (error as { status: number }).status;
}
