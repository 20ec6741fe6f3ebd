import type { SipFailure } from '../failure.js';
import type { Headers } from './headers.js';

/** Parameters after `;`: lower-case names, `null` where there is no value. Values are unescaped quoted strings or tokens. */
export type Params = ReadonlyMap<string, string | null>;

/** `sip:` or `sips:` (RFC 3261 §19.1). User and password keep their escapes; the host is lower-case, IPv6 in brackets. */
export interface SipUri {
  readonly scheme: 'sip' | 'sips';
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly host: string;
  readonly port: number | undefined;
  readonly params: Params;
  /** What follows `?`, raw. */
  readonly headers: string | undefined;
}

/** `tel:` (RFC 3966). */
export interface TelUri {
  readonly scheme: 'tel';
  readonly number: string;
  readonly params: Params;
}

/** Any other absolute URI, kept as text. */
export interface OtherUri {
  readonly scheme: 'other';
  readonly text: string;
}

export type Uri = SipUri | TelUri | OtherUri;

/** name-addr or addr-spec with header parameters: From, To, Contact, Route, Refer-To … (RFC 3261 §20.10). */
export interface NameAddr {
  /** Without quotes and escapes. */
  readonly displayName: string | undefined;
  readonly uri: Uri;
  readonly params: Params;
}

/** One Via value (RFC 3261 §20.42). */
export interface Via {
  /** Upper-case: `WS`, `WSS`, `UDP`, `TCP`, `TLS` or another token. */
  readonly transport: string;
  readonly host: string;
  readonly port: number | undefined;
  readonly params: Params;
}

export interface CSeq {
  readonly number: number;
  readonly method: string;
}

interface MessageBase {
  readonly headers: Headers;
  /** Exactly as many bytes as Content-Length says. */
  readonly body: Buffer;
  /** Parsed once at the border and kept in step by whoever edits `headers`. */
  readonly topVia: Via;
  readonly from: NameAddr;
  readonly to: NameAddr;
  readonly callId: string;
  readonly cseq: CSeq;
}

export interface SipRequest extends MessageBase {
  readonly kind: 'request';
  readonly method: string;
  /** The Request-URI as received. */
  readonly requestUri: string;
  /** The Request-URI parsed. */
  readonly uri: Uri;
}

export interface SipResponse extends MessageBase {
  readonly kind: 'response';
  readonly status: number;
  readonly reason: string;
}

export type SipMessage = SipRequest | SipResponse;

/** Why bytes are not a SIP message, and what can be done about it. */
export interface ParseFailure {
  readonly kind: 'failure';
  readonly failure: SipFailure;
  /**
   * A ready response, when the bytes were a request that can be answered: Via, From, To, Call-ID and CSeq were all
   * readable enough to copy (RFC 3261 §8.2.6.2). Undefined: drop and count. Never set for ACK and for responses.
   */
  readonly reply: Buffer | undefined;
}
