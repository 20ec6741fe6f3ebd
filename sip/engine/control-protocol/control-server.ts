import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import type { Clock } from '../../clock.js';
import type { Log } from '../../log.js';
import { ControlClient, type ControlHandler, type SipCommand } from './control-client.js';

/** What the control server reports. */
export interface ControlListener {
  sip(client: ControlClient, command: SipCommand): void;
  /** The client's connection is gone, with all that it owned. */
  clientLost(client: ControlClient): void;
}

export interface ControlServerOptions {
  readonly secret: string;
  readonly hostPorts: string;
  readonly localHostPorts: string;
  readonly listener: ControlListener;
  readonly clock: Clock;
  readonly log: Log;
}

/** The loopback port on which applications control the engine. */
export class ControlServer implements ControlHandler {
  readonly hostPorts: string;
  readonly localHostPorts: string;
  /** Authenticated clients in round-robin order; removed when their connection closes. */
  private readonly clients: ControlClient[] = [];
  /** Connections that have not authenticated yet. */
  private readonly strangers = new Set<ControlClient>();
  private next = 0;
  private closing = false;

  private constructor(
    private readonly server: Server,
    private readonly options: ControlServerOptions,
  ) {
    this.hostPorts = options.hostPorts;
    this.localHostPorts = options.localHostPorts;
    const digest = createHash('sha256').update(options.secret).digest();
    server.on('connection', (socket) => {
      this.strangers.add(new ControlClient(socket, digest, this, options.clock, options.log));
    });
    server.on('error', (error) => options.log.error({ err: error }, 'control listener error'));
  }

  /** Listens on a free port of 127.0.0.1. */
  static async listen(options: ControlServerOptions): Promise<ControlServer> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', () => {
        server.off('error', reject);
        resolve();
      });
    });
    return new ControlServer(server, options);
  }

  get port(): number {
    const bound = this.server.address();
    return bound === null || typeof bound === 'string' ? 0 : bound.port;
  }

  get clientCount(): number {
    return this.clients.length + this.strangers.size;
  }

  /** Whether any application is connected at all. */
  get hasClients(): boolean {
    return this.clients.length > 0;
  }

  /** The next client, round robin, that takes the method. */
  clientFor(method: string): ControlClient | undefined {
    const wanted = method.toLowerCase();
    for (let tried = 0; tried < this.clients.length; tried += 1) {
      this.next = (this.next + 1) % this.clients.length;
      const client = this.clients[this.next];
      if (client?.methods.has(wanted) === true) return client;
    }
    return undefined;
  }

  authenticated(client: ControlClient): void {
    this.strangers.delete(client);
    this.clients.push(client);
  }

  sip(client: ControlClient, command: SipCommand): void {
    this.options.listener.sip(client, command);
  }

  closed(client: ControlClient): void {
    this.strangers.delete(client);
    const at = this.clients.indexOf(client);
    if (at < 0) return;
    this.clients.splice(at, 1);
    this.options.listener.clientLost(client);
  }

  /** Closes every connection and the port. Idempotent. */
  async close(): Promise<void> {
    if (this.closing) return;
    this.closing = true;
    for (const client of [...this.clients, ...this.strangers]) client.close();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}
