import type { RawData, WebSocket } from 'ws';
import type { Clock } from '../../sip/clock.js';
import { newId } from '../../sip/message/index.js';
import { messageTrace, publishMessage } from '../../sip/trace.js';
import { NonceWindow } from '../auth/nonce-window.js';
import type { Endpoint } from '../endpoint/endpoint.js';
import type { EndpointFlow } from '../endpoint/endpoint-flow.js';
import type { FlowCloseCause } from '../telemetry/edge-events.js';
import { remoteText } from './remote-text.js';
import { TokenBucket } from './limits.js';

/** WebSocket close codes (DESIGN §8) with the reason that the client is told. */
const closings = {
  drain: [1001, 'going away'],
  not_sip: [1003, 'not SIP'],
  malformed: [4400, 'too many malformed messages'],
  unauthenticated: [4401, 'not authenticated in time'],
  token_expired: [4401, 'the token has expired'],
  replaced: [4408, 'replaced by a newer flow'],
  moved: [1012, 'connect and register again'],
  rate: [4429, 'too many messages'],
  address_rate: [4429, 'too many messages from this address'],
  user_rate: [4429, 'too many messages of this user'],
  internal: [1011, 'internal error'],
} as const satisfies Partial<Record<FlowCloseCause, readonly [number, string]>>;

export type FlowClosing = keyof typeof closings;

export interface FlowLimits {
  /** Messages, keep-alives and WebSocket pings that one flow may send. */
  readonly messagesPerSecond: number;
  /** At once. */
  readonly messageBurst: number;
  /** Bytes that may wait for a client that does not read. */
  readonly maxBufferedBytes: number;
}

/** Where a flow comes from. */
export interface FlowOrigin {
  readonly address: string;
  readonly port: number;
  readonly transport: 'WS' | 'WSS';
}

/** Who is told of a flow's life: `ended` once when it can carry nothing more, then `closed` once when its socket is gone. */
export interface FlowListener {
  message(flow: Flow, bytes: Buffer): void;
  ended(flow: Flow): void;
  closed(flow: Flow, outcome: { cause: FlowCloseCause; code: number; reason: string }): void;
}

const carriageReturn = 0x0d;
const lineFeed = 0x0a;
/** What a browser says when its page is left (RFC 6455 §7.4.1). */
const goingAway = 1001;
/** Malformed messages that a flow may send at once, and how many more per second. */
const malformedBurst = 20;
const malformedPerSecond = 0.5;
/** Unreadable messages after which a flow that has sent nothing else is closed. */
const unreadableAtFirst = 3;

/** One WebSocket that carries SIP (RFC 7118), from upgrade to close. */
export class Flow implements EndpointFlow {
  readonly id = newId('f_');
  readonly nonces = new NonceWindow();
  readonly openedAtMs: number;
  /** Set by ingress when the flow has authenticated; the endpoint knows the flow in turn. */
  endpoint: Endpoint | undefined;
  readonly #bucket: TokenBucket;
  #malformed: TokenBucket | undefined;
  #unreadable = 0;
  #heard = true;
  #cause: FlowCloseCause | undefined;
  #goneAway = false;

  constructor(
    private readonly socket: WebSocket,
    readonly origin: FlowOrigin,
    private readonly limits: FlowLimits,
    private readonly clock: Clock,
    private readonly listener: FlowListener,
    /** What came with the upgrade to prove who this is; never logged. */
    readonly token?: string,
  ) {
    this.openedAtMs = clock.nowMs();
    this.#bucket = new TokenBucket(limits.messagesPerSecond, limits.messageBurst, this.openedAtMs);
    socket.on('message', (data) => this.#take(data));
    socket.on('ping', () => this.#pinged());
    socket.on('pong', () => this.#hear());
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', (code, reason) => this.#gone(code, reason.toString()));
  }

  get transport(): 'WS' | 'WSS' {
    return this.origin.transport;
  }

  /** Remote `address:port`. */
  get remote(): string {
    return remoteText(this.origin);
  }

  get goneAway(): boolean {
    return this.#goneAway;
  }

  /** False once the flow can carry nothing more. */
  get open(): boolean {
    return this.#cause === undefined;
  }

  send(text: string): boolean {
    // One that is closing takes messages without a word and loses them.
    if (this.#cause !== undefined || this.socket.readyState !== this.socket.OPEN) return false;
    if (this.socket.bufferedAmount > this.limits.maxBufferedBytes) {
      this.#cut('slow_reader');
      return false;
    }
    this.socket.send(text);
    if (messageTrace.hasSubscribers) this.#trace('out', text);
    return true;
  }

  /** A message could be read: the flow speaks SIP. */
  noteReadable(): void {
    this.#unreadable = -1;
  }

  /** A message could not be read; too many of them end the flow. */
  noteMalformed(): void {
    const nowMs = this.clock.nowMs();
    this.#malformed ??= new TokenBucket(malformedPerSecond, malformedBurst, nowMs);
    if (!this.#malformed.take(nowMs)) return this.close('malformed');
    if (this.#unreadable < 0) return;
    this.#unreadable += 1;
    if (this.#unreadable >= unreadableAtFirst) this.close('not_sip');
  }

  replaced(): void {
    this.endpoint = undefined;
    this.close('replaced');
  }

  moved(): void {
    this.close('moved');
  }

  /** Says good-bye with the close code of `closing`. Idempotent. */
  close(closing: FlowClosing): void {
    if (this.#cause !== undefined) return;
    const [code, reason] = closings[closing];
    this.#end(closing);
    this.socket.close(code, reason);
  }

  /** Drops the connection without good-bye. Idempotent. */
  terminate(): void {
    this.#end('drain');
    this.socket.terminate();
  }

  /** Asks for a sign of life; a flow that gave none since the last time is dropped. */
  probe(): void {
    if (!this.open) return;
    if (!this.#heard) return this.#cut('silent');
    this.#heard = false;
    this.socket.ping();
  }

  /** `ws` answers; a client that reads no answers is not to ping for ever. */
  #pinged(): void {
    this.#hear();
    if (this.socket.bufferedAmount > this.limits.maxBufferedBytes) this.#cut('slow_reader');
  }

  /** A WebSocket ping or pong: a sign of life, and work for us that is limited as messages are. */
  #hear(): void {
    this.#heard = true;
    if (!this.#bucket.take(this.clock.nowMs())) this.close('rate');
  }

  #take(data: RawData): void {
    this.#heard = true;
    if (this.#cause !== undefined) return;
    if (!this.#bucket.take(this.clock.nowMs())) return this.close('rate');
    const bytes = asBuffer(data);
    if (isKeepAlive(bytes)) {
      if (bytes.length === 4) this.send('\r\n');
      return;
    }
    if (messageTrace.hasSubscribers) this.#trace('in', bytes.toString());
    this.listener.message(this, bytes);
  }

  /** `ws` has seen a broken frame and closes by itself, with 1009 for one that is too long. */
  #fail(error: Error): void {
    const tooLong = 'code' in error && error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';
    const broken =
      error instanceof RangeError || ('code' in error && String(error.code).startsWith('WS_ERR_'));
    if (tooLong) this.#end('size');
    else this.#end(broken ? 'protocol' : 'peer');
  }

  #cut(cause: FlowCloseCause): void {
    this.#end(cause);
    this.socket.terminate();
  }

  #end(cause: FlowCloseCause): void {
    if (this.#cause !== undefined) return;
    this.#cause = cause;
    this.listener.ended(this);
  }

  #gone(code: number, reason: string): void {
    this.#goneAway = code === goingAway && this.open;
    this.#end('peer');
    const cause = this.#cause ?? 'peer';
    const [ownCode, ownReason] = isClosing(cause) ? closings[cause] : [code, reason];
    this.listener.closed(this, { cause, code: ownCode, reason: ownReason });
  }

  #trace(direction: 'in' | 'out', message: string): void {
    const transport = this.transport === 'WS' ? 'ws' : 'wss';
    publishMessage({ direction, flowId: this.id, transport, remote: this.remote, message });
  }
}

function isClosing(cause: FlowCloseCause): cause is FlowClosing {
  return cause in closings;
}

/** Only CR LF CR LF (a ping, RFC 5626 §4.4.1), CR LF (a pong) or nothing. */
function isKeepAlive(bytes: Buffer): boolean {
  if (bytes.length === 0) return true;
  if (bytes.length !== 2 && bytes.length !== 4) return false;
  for (let at = 0; at < bytes.length; at += 2) {
    if (bytes[at] !== carriageReturn || bytes[at + 1] !== lineFeed) return false;
  }
  return true;
}

function asBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
