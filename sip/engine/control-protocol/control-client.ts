import { randomUUID, timingSafeEqual, createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../../clock.js';
import type { Log } from '../../log.js';
import { parseCommand, type Command } from './command.js';
import { frame, frameLimit, FrameReader } from './framing.js';
import { timeOfDay, type Meta } from './meta.js';

/** How long a connection may stay without authenticating. */
const authenticateWithinMs = 5000;
/** More unread bytes than this and the application is taken for dead. */
const writeLimitBytes = 64 * 1024 * 1024;
/** drachtio-srf starts its pings from v0.8.2 on. */
const version = 'v0.9.10-webtrunk';

export type SipCommand = Extract<Command, { verb: 'sip' }>;

/** Who serves the clients. */
export interface ControlHandler {
  /** `proto/host:port` list that peers are told, and that of our own addresses. */
  readonly hostPorts: string;
  readonly localHostPorts: string;
  authenticated(client: ControlClient): void;
  sip(client: ControlClient, command: SipCommand): void;
  closed(client: ControlClient): void;
}

/** One application connection, from accept to close. Everything that is written to it keeps its order. */
export class ControlClient {
  /** Lower-case methods that the application takes (`route`). */
  readonly methods = new Set<string>();
  private readonly reader = new FrameReader();
  private readonly authenticateBy: Timer;
  private isAuthenticated = false;
  private isCorked = false;
  private open = true;

  constructor(
    private readonly socket: Socket,
    private readonly secretDigest: Buffer,
    private readonly handler: ControlHandler,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {
    this.authenticateBy = clock.after(authenticateWithinMs, () => this.close());
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.take(chunk));
    socket.on('error', (error) => log.debug({ err: error }, 'control connection error'));
    socket.on('close', () => this.close());
  }

  get isOpen(): boolean {
    return this.open;
  }

  /** Answers the frame `id` with OK and what follows. */
  ok(id: string, rest = ''): void {
    this.write(`${randomUUID()}|response|${id}|OK${rest}`);
  }

  /** Answers the frame `id`: refused, the connection stays. */
  refuse(id: string, reason: string): void {
    this.write(`${randomUUID()}|response|${id}|NOK|${reason}`);
  }

  /** The reply to a request that was sent (PROTOCOL §5.2). Must precede every response to it. */
  requestSent(id: string, meta: Meta, transactionId: string, text: string): void {
    this.ok(id, `|application|${this.metaTokens(meta)}|${transactionId}|Msg sent:|\r\n${text}`);
  }

  /** The reply to a response that was sent (PROTOCOL §5.3). Must precede the ACK or PRACK that it provokes. */
  responseSent(id: string, meta: Meta, transactionId: string, dialogId: string, text: string): void {
    this.ok(id, `|application|${this.metaTokens(meta)}|${transactionId}|${dialogId}||Msg sent:|\r\n${text}`);
  }

  /** A request outside any dialog (PROTOCOL §4.1). */
  newRequest(
    meta: Meta,
    transactionId: string,
    receivedOn: { address: string; port: number },
    text: string,
  ): void {
    const { address, port } = receivedOn;
    this.write(
      `${randomUUID()}|sip|network|${this.metaTokens(meta)}|${transactionId}||${address}|${port}|\r\n${text}`,
    );
  }

  /** A request or response of a transaction, inside a dialog when `dialogId` is not empty (PROTOCOL §4.2, §4.3). */
  message(meta: Meta, transactionId: string, dialogId: string, text: string): void {
    this.write(
      `${randomUUID()}|sip|network|${this.metaTokens(meta)}|${transactionId}|${dialogId}|\r\n${text}`,
    );
  }

  /** A BYE that we have sent of our own accord (PROTOCOL §4.4). */
  unsolicited(meta: Meta, dialogId: string, text: string): void {
    this.write(
      `${randomUUID()}|sip|application|${this.metaTokens(meta)}|unsolicited|${dialogId}|\r\n${text}`,
    );
  }

  /** Closes the connection; `closed` follows once. Idempotent. */
  close(): void {
    if (!this.open) return;
    this.open = false;
    this.authenticateBy.cancel();
    if (this.isCorked) this.socket.uncork();
    this.socket.destroySoon();
    this.handler.closed(this);
  }

  private metaTokens(meta: Meta): string {
    return `${meta.bytes}|${meta.protocol}|${meta.address}|${meta.port}|${timeOfDay(this.clock.nowMs())}`;
  }

  /** Frames of one turn of the event loop leave together. */
  private write(payload: string): void {
    if (!this.open) return;
    if (this.socket.writableLength > writeLimitBytes) {
      this.log.error(
        { unsentBytes: this.socket.writableLength },
        'the application does not read its control connection',
      );
      this.close();
      return;
    }
    if (!this.isCorked) {
      this.isCorked = true;
      this.socket.cork();
      process.nextTick(() => {
        this.isCorked = false;
        this.socket.uncork();
      });
    }
    this.socket.write(frame(payload));
  }

  private take(chunk: Buffer): void {
    const refused = this.reader.push(chunk, (payload) => {
      this.handle(payload);
      return this.open;
    });
    if (refused !== undefined) this.reject('', refused);
  }

  private handle(payload: string): void {
    const command = parseCommand(payload);
    if (command === undefined)
      return this.reject(payload.slice(0, 36).split('|', 1)[0] ?? '', 'unknown command');
    if (command.verb === 'authenticate') return this.authenticate(command.id, command.secret);
    if (!this.isAuthenticated) return this.reject(command.id, 'not authenticated');
    switch (command.verb) {
      case 'ping':
        return this.ok(command.id, '|pong');
      case 'route':
        this.methods.add(command.method);
        return this.ok(command.id);
      case 'remove_route':
        this.methods.delete(command.method);
        return this.ok(command.id);
      case 'proxy':
        return this.refuse(command.id, 'proxy not supported');
      case 'sip':
        return this.sip(command);
    }
  }

  private sip(command: SipCommand): void {
    if (command.text.startsWith('SIP/') && command.transactionId === '') {
      return this.reject(command.id, 'transaction id missing');
    }
    this.handler.sip(this, command);
  }

  private authenticate(id: string, secret: string): void {
    const given = createHash('sha256').update(secret).digest();
    if (!timingSafeEqual(given, this.secretDigest)) return this.reject(id, 'incorrect secret');
    this.authenticateBy.cancel();
    this.reader.limit = frameLimit;
    this.ok(id, `|${this.handler.hostPorts}|${version}|${this.handler.localHostPorts}`);
    if (this.isAuthenticated) return;
    this.isAuthenticated = true;
    this.handler.authenticated(this);
  }

  /** A protocol error: answered with NO, then the connection closes (PROTOCOL §1). */
  private reject(id: string, reason: string): void {
    this.log.warn({ reason }, 'control frame refused, connection closed');
    this.write(`${randomUUID()}|response|${id}|NO|${reason}`);
    this.close();
  }
}
