import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Clock, Timer } from '../../clock.js';
import type { Log } from '../../log.js';
import { newTag } from '../../message/ids.js';
import { decodeNg, encodeNg, type NgCommand, type NgDictionary, ngLimits } from './ng-codec.js';
import { NgFailure } from './ng-failure.js';

/** Where an rtpengine takes commands over UDP. */
export interface NgAddress {
  /** IP address, or a name: that is resolved to IPv4, again whenever the server was lost. */
  readonly host: string;
  readonly port: number;
}

export interface NgClientOptions {
  readonly address: NgAddress;
  readonly clock: Clock;
  readonly log: Log;
}

/** First wait for an answer; doubles with every retransmission. */
const firstRetransmitMs = 200;

const space = 0x20;

/** One command that waits for its answer. */
interface Waiting {
  readonly datagram: Buffer;
  readonly deadlineMs: number;
  waitMs: number;
  timer: Timer | undefined;
  readonly resolve: (answer: NgDictionary) => void;
  readonly reject: (failure: NgFailure) => void;
}

/**
 * Sends commands to one rtpengine over UDP: `cookie SP bencode` each way. A command is sent again with the same cookie
 * until it is answered or its deadline is over; rtpengine answers a cookie that it knows as it did before, so that a
 * repeated command has no second effect. Answers to unknown cookies (the second of two, or forged ones) are dropped, as
 * is whatever does not come from that very address.
 */
export class NgClient {
  /** By cookie. Removed with the answer, at the deadline, on an unreachable address and on close. */
  readonly #waiting = new Map<string, Waiting>();
  #socket: Socket | undefined;
  #opening: Promise<Socket> | undefined;
  #isClosed = false;
  #dropped = 0;

  constructor(private readonly options: NgClientOptions) {}

  /** Asked again after each wait. */
  private get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Commands without an answer so far. */
  get pending(): number {
    return this.#waiting.size;
  }

  /** Datagrams that answered nothing. */
  get dropped(): number {
    return this.#dropped;
  }

  /** `host:port` */
  get name(): string {
    const { host, port } = this.options.address;
    return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  }

  /**
   * Sends a command and resolves with the answer's dictionary when its result is not an error. Rejects with an
   * {@link NgFailure}.
   */
  async send(command: NgCommand, deadlineMs: number): Promise<NgDictionary> {
    const bytes = encodeNg(command);
    const cookie = newTag();
    const datagram = Buffer.concat([Buffer.from(`${cookie} `), bytes]);
    if (datagram.length > ngLimits.maxBytes)
      throw new NgFailure('refused', 'the command is too large for UDP');
    await this.#open();
    const answer = await new Promise<NgDictionary>((resolve, reject) => {
      if (this.#isClosed) return reject(closed());
      const waiting: Waiting = {
        datagram,
        deadlineMs: this.options.clock.nowMs() + deadlineMs,
        waitMs: firstRetransmitMs,
        timer: undefined,
        resolve,
        reject,
      };
      this.#waiting.set(cookie, waiting);
      this.#transmit(cookie, waiting);
    });
    return checked(answer);
  }

  /** Begins anew with the next command, so that a name is resolved again; what is pending fails. */
  reconnect(): void {
    this.#rejectAll(new NgFailure('unreachable', `${this.name} is given up`));
    this.#socket?.close();
    this.#socket = undefined;
    this.#opening = undefined;
  }

  /** Rejects what is pending. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#rejectAll(closed());
    this.#socket?.close();
    this.#socket = undefined;
  }

  #transmit(cookie: string, waiting: Waiting): void {
    const leftMs = waiting.deadlineMs - this.options.clock.nowMs();
    if (leftMs <= 0) {
      this.#waiting.delete(cookie);
      return waiting.reject(new NgFailure('silent', `${this.name} does not answer`));
    }
    this.#socket?.send(waiting.datagram);
    waiting.timer = this.options.clock.after(Math.min(waiting.waitMs, leftMs), () => {
      this.#transmit(cookie, waiting);
    });
    waiting.waitMs *= 2;
  }

  #open(): Promise<Socket> {
    this.#opening ??= this.#connect().catch((thrown: unknown) => {
      // The name may resolve the next time.
      this.#opening = undefined;
      throw thrown;
    });
    return this.#opening;
  }

  /** A connected socket: the kernel drops datagrams from elsewhere and reports an address that refuses. */
  async #connect(): Promise<Socket> {
    if (this.#isClosed) throw closed();
    const { host, port } = this.options.address;
    const socket = createSocket({ type: host.includes(':') ? 'udp6' : 'udp4' });
    try {
      socket.connect(port, host);
      await once(socket, 'connect');
    } catch (cause) {
      socket.close();
      throw new NgFailure('unreachable', `${this.name}: ${reasonOf(cause)}`);
    }
    if (this.isClosed) {
      socket.close();
      throw closed();
    }
    socket.unref();
    socket.on('message', (datagram) => this.#received(datagram));
    socket.on('error', (error) => {
      this.#rejectAll(new NgFailure('unreachable', `${this.name}: ${error.message}`));
    });
    this.#socket = socket;
    return socket;
  }

  #received(datagram: Buffer): void {
    const end = datagram.indexOf(space);
    const cookie = end > 0 ? datagram.toString('latin1', 0, end) : '';
    const waiting = this.#waiting.get(cookie);
    if (waiting === undefined) {
      this.#dropped += 1;
      return this.options.log.debug({ rtpengine: this.name }, 'an answer to no command of ours was dropped');
    }
    const answer = decodeNg(datagram.subarray(end + 1));
    this.#waiting.delete(cookie);
    waiting.timer?.cancel();
    if (answer === undefined)
      waiting.reject(new NgFailure('garbled', `${this.name} answers what cannot be read`));
    else waiting.resolve(answer);
  }

  #rejectAll(failure: NgFailure): void {
    const pending = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { timer, reject } of pending) {
      timer?.cancel();
      reject(failure);
    }
  }
}

/** The answer, unless its `result` tells of a failure. */
function checked(answer: NgDictionary): NgDictionary {
  const result = answer.get('result');
  if (result === 'ok' || result === 'pong') return answer;
  const reason = answer.get('error-reason') ?? answer.get('message');
  const detail = typeof reason === 'string' ? reason.slice(0, 200) : 'no reason given';
  if (result === 'load limit') throw new NgFailure('busy', detail);
  if (result === 'error') throw new NgFailure('refused', detail);
  throw new NgFailure('garbled', 'the answer has no known result');
}

function closed(): NgFailure {
  return new NgFailure('closed', 'the media engine is closed');
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
