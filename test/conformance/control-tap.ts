import { connect, createServer, type Server, type Socket } from 'node:net';

/** One frame of the control protocol, without its length. */
export interface TappedFrame {
  readonly tokens: readonly string[];
  /** The SIP message, when there is one. */
  readonly text: string;
}

/** Between an application and the engine's control port: passes all bytes on and reads the frames. */
export class ControlTap {
  readonly toApp: TappedFrame[] = [];
  readonly toEngine: TappedFrame[] = [];
  lastFrameAt = Date.now();
  readonly #sockets: Socket[] = [];

  private constructor(private readonly server: Server) {}

  static async open(host: string, controlPort: number): Promise<ControlTap> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const tap = new ControlTap(server);
    server.on('connection', (app) => tap.#join(app, connect(controlPort, host)));
    return tap;
  }

  get port(): number {
    const bound = this.server.address();
    if (bound === null || typeof bound === 'string') throw new Error('not listening');
    return bound.port;
  }

  /** Frames of the application that the engine has not answered yet. */
  get unanswered(): number {
    const answered = new Set(
      this.toApp.filter(({ tokens }) => tokens[1] === 'response').map(({ tokens }) => tokens[2]),
    );
    return this.toEngine.filter(({ tokens }) => !answered.has(tokens[0])).length;
  }

  /** Drops the connection, as a crash of the application would. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  #join(app: Socket, engine: Socket): void {
    this.#sockets.push(app, engine);
    this.#pass(app, engine, this.toEngine);
    this.#pass(engine, app, this.toApp);
  }

  #pass(from: Socket, to: Socket, frames: TappedFrame[]): void {
    let buffer = Buffer.alloc(0);
    from.on('error', () => undefined);
    from.on('close', () => to.end());
    from.on('data', (chunk: Buffer) => {
      this.lastFrameAt = Date.now();
      buffer = Buffer.concat([buffer, chunk]);
      for (let hash = buffer.indexOf('#'); hash > 0; hash = buffer.indexOf('#')) {
        const end = hash + 1 + Number(buffer.toString('latin1', 0, hash));
        if (buffer.length < end) break;
        frames.push(frameOf(buffer.toString('utf8', hash + 1, end)));
        buffer = buffer.subarray(end);
      }
      to.write(chunk);
    });
  }
}

function frameOf(payload: string): TappedFrame {
  const end = payload.indexOf('\r\n');
  const meta = end < 0 ? payload : payload.slice(0, end);
  return { tokens: meta.split('|'), text: end < 0 ? '' : payload.slice(end + 2) };
}
