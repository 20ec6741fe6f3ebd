import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A TCP forwarder on loopback that can be cut like a cable: for connections that break between two healthy ends. */
export class CutLine {
  private readonly sockets = new Set<Socket>();
  private cutOff = false;
  private dead = false;

  private constructor(
    private readonly server = createServer((near) => this.forward(near)),
    private targetPort: number,
  ) {}

  /** Starts to forward to this port of 127.0.0.1. */
  static async to(targetPort: number): Promise<CutLine> {
    const line = new CutLine(undefined, targetPort);
    line.server.listen(0, '127.0.0.1');
    await once(line.server, 'listening');
    return line;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Takes what is sent from now on and delivers none of it, in both directions, until {@link cut} or {@link mend}. */
  swallow(): void {
    this.dead = true;
  }

  /** Breaks every connection, and each new one until {@link mend}. */
  cut(): void {
    this.cutOff = true;
    this.dead = false;
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  /** Lets connections through again, to another port when one is given. */
  mend(targetPort = this.targetPort): void {
    this.targetPort = targetPort;
    this.cutOff = false;
    this.dead = false;
  }

  async close(): Promise<void> {
    this.cut();
    this.server.close();
    await once(this.server, 'close');
  }

  private forward(near: Socket): void {
    if (this.cutOff) {
      near.resetAndDestroy();
      return;
    }
    const far = connect(this.targetPort, '127.0.0.1');
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.sockets.delete(socket);
        other.destroy();
      });
      socket.on('data', (chunk: Buffer) => {
        if (!this.dead && !other.write(chunk)) socket.pause();
      });
      socket.on('drain', () => other.resume());
      socket.on('end', () => other.end());
    }
  }
}
