import { createSocket, type Socket } from 'node:dgram';
import { numbersFrom } from './seeded-random.js';

/** What passed and what was lost in one direction. */
export interface Losses {
  passed: number;
  dropped: number;
}

/**
 * A UDP relay on loopback that loses a share of the datagrams, and delays the others unevenly, in both directions: `client → front → target` and back.
 * Each client gets a socket of its own towards the target, as behind a NAT. The same seed drops the same places of the
 * sequence.
 */
export class LossyUdp {
  private readonly backs = new Map<number, Socket>();
  private readonly random: () => number;
  /** Datagrams that are on their way. */
  private readonly late = new Set<NodeJS.Timeout>();
  /** `front → target`, and back. */
  readonly losses: { readonly towards: Readonly<Losses>; readonly back: Readonly<Losses> };
  private readonly towards: Losses = { passed: 0, dropped: 0 };
  private readonly back: Losses = { passed: 0, dropped: 0 };

  private constructor(
    private readonly front: Socket,
    private readonly target: number,
    private readonly loss: number,
    private readonly spreadMs: number,
    seed: number,
  ) {
    this.random = numbersFrom(seed);
    this.losses = { towards: this.towards, back: this.back };
    front.on('message', (bytes, { port }) => {
      const back = this.backs.get(port) ?? this.open(port);
      this.pass(this.towards, () => back.send(bytes, this.target, '127.0.0.1'));
    });
  }

  /**
   * Relays to `target` on 127.0.0.1, losing `loss` (0 to 1) of the datagrams and delaying each of the others by up to
   * `spreadMs`: they overtake each other.
   */
  static async open(target: number, loss: number, seed: number, spreadMs = 0): Promise<LossyUdp> {
    const front = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
    await new Promise<void>((resolve) => front.bind(0, '127.0.0.1', resolve));
    return new LossyUdp(front, target, loss, spreadMs, seed);
  }

  get port(): number {
    return this.front.address().port;
  }

  /** Sends to the target from the address that each client has there: what an attacker on the way could. */
  inject(datagram: Buffer): void {
    for (const back of this.backs.values()) back.send(datagram, this.target, '127.0.0.1');
  }

  async close(): Promise<void> {
    for (const timer of this.late) clearTimeout(timer);
    const sockets = [this.front, ...this.backs.values()];
    await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))));
  }

  private open(client: number): Socket {
    const back = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
    back.bind(0, '127.0.0.1');
    back.on('message', (bytes) => this.pass(this.back, () => this.front.send(bytes, client, '127.0.0.1')));
    this.backs.set(client, back);
    return back;
  }

  private pass(direction: Losses, send: () => void): void {
    if (this.random() < this.loss) {
      direction.dropped += 1;
      return;
    }
    direction.passed += 1;
    if (this.spreadMs === 0) return send();
    const timer = setTimeout(() => {
      this.late.delete(timer);
      send();
    }, this.random() * this.spreadMs);
    this.late.add(timer);
  }
}
