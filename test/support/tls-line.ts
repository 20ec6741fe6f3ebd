import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { createServer } from 'node:tls';
import type { TestCertificate } from './test-certificate.js';

/** Takes TLS and forwards what is inside to a plain TCP port of 127.0.0.1. */
export class TlsLine {
  readonly #sockets = new Set<Socket>();
  /** What clients have sent inside TLS. */
  bytes = 0;

  private constructor(
    private readonly server: ReturnType<typeof createServer>,
    private readonly targetPort: number,
  ) {
    server.on('secureConnection', (near) => this.#forward(near));
    server.on('tlsClientError', () => undefined);
  }

  static async to(targetPort: number, pair: TestCertificate): Promise<TlsLine> {
    const line = new TlsLine(createServer(pair), targetPort);
    line.server.listen(0, '127.0.0.1');
    await once(line.server, 'listening');
    return line;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Ends every connection; new ones are taken. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    this.server.close();
    await once(this.server, 'close');
  }

  #forward(near: Socket): void {
    const far = connect(this.targetPort, '127.0.0.1');
    near.on('data', (chunk: Buffer) => (this.bytes += chunk.length));
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  }
}
