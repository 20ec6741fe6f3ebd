import type { Socket } from 'node:net';
import type { Log } from '../../log.js';
import { messageTrace } from '../../trace.js';
import { StreamFramer } from '../../message/index.js';
import type { Channel, Endpoint, MessageSink } from './channel.js';
import type { LocalIdentity } from './listener.js';
import { traceMessage } from './message-trace.js';

/** More unsent bytes than this and the peer is taken for dead. */
const writeLimitBytes = 4 * 1024 * 1024;
/** How long a closing connection may take to send what is left. */
const lingerMs = 1000;
const pong = Buffer.from('\r\n');

/** How long a connection may take to come up, with its TLS handshake. */
export const connectTimeoutMs = 4_000;

/** Who owns the connections. */
export interface ConnectionOwner {
  readonly sink: MessageSink;
  readonly log: Log;
  connectionOpened(connection: StreamConnection): void;
  connectionClosed(connection: StreamConnection): void;
}

/** What a connection is made of. */
export interface StreamConnectionOptions {
  readonly transport: 'tcp' | 'tls';
  readonly socket: Socket;
  readonly remote: Endpoint;
  /** The name that the peer's certificate was verified for; undefined over TCP and for connections that peers opened. */
  readonly verifiedName?: string | undefined;
  /** Nothing is sent before {@link StreamConnection.release}. */
  readonly isHeld?: boolean;
  readonly identity: LocalIdentity;
  readonly owner: ConnectionOwner;
}

type Failed = (error: Error) => void;

/** What tells connections apart that requests may share: RFC 5923 §5 asks for the verified name too. */
export function connectionKey(transport: string, { address, port }: Endpoint, verifiedName = ''): string {
  return `${transport}|${address}|${port}|${verifiedName}`;
}

/** One TCP or TLS connection, made by us or by the peer (RFC 3261 §18.1.1, §18.3). */
export class StreamConnection implements Channel {
  readonly transport: 'tcp' | 'tls';
  readonly reliable = true;
  readonly remote: Endpoint;
  readonly key: string;
  /** Set by every message in either direction; the pool closes connections that stay idle. */
  isIdle = false;
  private readonly socket: Socket;
  private readonly identity: LocalIdentity;
  private readonly owner: ConnectionOwner;
  private readonly framer = new StreamFramer();
  private readonly unsent = new Set<Failed>();
  private held: (readonly [bytes: Buffer, failed: Failed | undefined])[] | undefined;
  private open = true;

  constructor({ transport, socket, remote, verifiedName, isHeld, identity, owner }: StreamConnectionOptions) {
    this.transport = transport;
    this.socket = socket;
    this.remote = remote;
    this.key = connectionKey(transport, remote, verifiedName);
    this.identity = identity;
    this.owner = owner;
    if (isHeld === true) this.held = [];
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 30_000);
    socket.on('data', (chunk: Buffer) => this.take(chunk));
    socket.on('error', (error) => this.fail(error));
    socket.on('close', () => this.fail(new Error('the connection is closed')));
  }

  get local(): Endpoint {
    return this.identity.localFor(this.remote.address);
  }

  get sentBy(): Channel['sentBy'] {
    return this.identity.sentByFor(this.remote.address);
  }

  get isOpen(): boolean {
    return this.open;
  }

  send(bytes: Buffer, failed?: Failed): void {
    if (!this.open || this.socket.writableLength > writeLimitBytes) {
      this.close();
      failed?.(new Error('the connection is closed'));
      return;
    }
    this.isIdle = false;
    if (failed !== undefined) this.unsent.add(failed);
    if (this.held === undefined) this.write(bytes, failed);
    else this.held.push([bytes, failed]);
  }

  /** The peer has proved who it is: what was sent meanwhile goes out. */
  release(): void {
    const held = this.held ?? [];
    this.held = undefined;
    for (const [bytes, failed] of held) this.write(bytes, failed);
  }

  /** Closes at once; whatever was not sent is reported as failed with `why`. Idempotent. */
  close(why = new Error('the connection is closed')): void {
    this.fail(why);
  }

  private write(bytes: Buffer, failed: Failed | undefined): void {
    if (messageTrace.hasSubscribers && bytes !== pong)
      traceMessage('out', this.transport, this.remote, bytes);
    if (failed === undefined) this.socket.write(bytes);
    else this.socket.write(bytes, () => this.unsent.delete(failed));
  }

  private take(chunk: Buffer): void {
    this.isIdle = false;
    for (const item of this.framer.push(chunk)) {
      if (!this.open) return;
      if (item.kind === 'message') this.owner.sink.received(item.bytes, this);
      else if (item.kind === 'ping' && this.owner.sink.answersPing(this)) this.send(pong);
      else if (item.kind === 'ping') this.close();
      else {
        this.owner.sink.unframed(item.failure, item.reply, this);
        this.close();
      }
    }
  }

  private fail(error: Error): void {
    if (!this.open) return;
    this.open = false;
    this.held = undefined;
    this.socket.setTimeout(lingerMs, () => this.socket.destroy());
    this.socket.destroySoon();
    this.owner.connectionClosed(this);
    const unsent = [...this.unsent];
    this.unsent.clear();
    for (const failed of unsent) failed(error);
  }
}
