import { connect, type Socket } from 'node:net';

/** A raw connection to the control port: writes any bytes, collects whole frames. */
export class ControlConnection {
  readonly frames: string[] = [];
  private buffer = Buffer.alloc(0);
  private readonly waiting: ((frame: string) => void)[] = [];
  private taken = 0;
  private count = 0;

  private constructor(private readonly socket: Socket) {
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      this.buffer = Buffer.concat([this.buffer, chunk]);
      for (let hash = this.buffer.indexOf('#'); hash > 0; hash = this.buffer.indexOf('#')) {
        const length = Number(this.buffer.toString('latin1', 0, hash));
        if (this.buffer.length < hash + 1 + length) return;
        this.take(this.buffer.toString('utf8', hash + 1, hash + 1 + length));
        this.buffer = this.buffer.subarray(hash + 1 + length);
      }
    });
  }

  static async open(port: number, secret?: string): Promise<ControlConnection> {
    const socket = connect(port, '127.0.0.1');
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    const control = new ControlConnection(socket);
    if (secret !== undefined) await control.ask(`authenticate|${secret}|`);
    return control;
  }

  /** Resolves when the engine has closed the connection. */
  get closed(): Promise<void> {
    return new Promise((resolve) => {
      if (this.socket.destroyed) resolve();
      else this.socket.once('close', () => resolve());
    });
  }

  write(bytes: string | Buffer): void {
    this.socket.write(bytes);
  }

  /** Sends a frame with an id of its own; returns that id. */
  send(payload: string): string {
    this.count += 1;
    const text = `id${this.count}|${payload}`;
    this.write(`${Buffer.byteLength(text)}#${text}`);
    return `id${this.count}`;
  }

  /** The next frame. */
  async next(): Promise<string> {
    const frame = this.frames[this.taken];
    this.taken += 1;
    if (frame !== undefined) return frame;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('no frame within 3 s')), 3000);
      this.waiting.push((next) => {
        clearTimeout(timer);
        resolve(next);
      });
    });
  }

  /** Sends a frame and returns the tokens of its reply after the id. */
  async ask(payload: string): Promise<string[]> {
    const id = this.send(payload);
    for (;;) {
      const frame = await this.next();
      const tokens = (frame.split('\r\n', 1)[0] ?? '').split('|');
      if (tokens[1] === 'response' && tokens[2] === id) return tokens.slice(3);
    }
  }

  close(): void {
    this.socket.destroy();
  }

  /** Sends what is left, then nothing more. */
  end(): void {
    this.socket.end();
  }

  private take(frame: string): void {
    this.frames.push(frame);
    this.waiting.shift()?.(frame);
  }
}
