import { createServer, type Server, type Socket } from 'node:net';
import { randomUUID } from 'node:crypto';

/** One frame that srf has sent. */
export interface ControlFrame {
  readonly id: string;
  /** After the id: `sip`, transaction id, dialog id …; or `authenticate`, secret … */
  readonly tokens: readonly string[];
  /** The SIP text. */
  readonly text: string;
}

const dialogTokens = 'udp|127.0.0.1|5060|12:00:00.000000';

/** The server side of drachtio's control protocol, driven by hand. */
export class ScriptedEngine {
  readonly frames: ControlFrame[] = [];
  connections = 0;
  /** Whether it answers pings. */
  answersPing = true;
  readonly #pinged: (() => void)[] = [];
  #socket: Socket | undefined;
  #buffer = Buffer.alloc(0);
  readonly #waiting: { matches: (frame: ControlFrame) => boolean; take: (frame: ControlFrame) => void }[] =
    [];

  private constructor(
    private readonly server: Server,
    private readonly secret: string,
  ) {
    server.on('connection', (socket) => this.#accept(socket));
  }

  static async listen(secret = 'secret', port = 0): Promise<ScriptedEngine> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    return new ScriptedEngine(server, secret);
  }

  get port(): number {
    const bound = this.server.address();
    return bound === null || typeof bound === 'string' ? 0 : bound.port;
  }

  /** Writes bytes as they are. */
  raw(bytes: string): void {
    this.#socket?.write(bytes);
  }

  /** A frame with a new id. */
  send(payload: string): void {
    const whole = `${randomUUID()}|${payload}`;
    this.raw(`${Buffer.byteLength(whole)}#${whole}`);
  }

  /** A SIP message from the network. */
  sip(transactionId: string, dialogId: string, text: string): void {
    const local = dialogId === '' && !text.startsWith('SIP/') ? '127.0.0.1|5060|' : '';
    this.send(`sip|network|${text.length}|${dialogTokens}|${transactionId}|${dialogId}|${local}\r\n${text}`);
  }

  /** The echo of a request of srf's. */
  requestSent(frame: ControlFrame, transactionId: string, text: string): void {
    const meta = `application|${text.length}|${dialogTokens}|${transactionId}|Msg sent:|`;
    this.send(`response|${frame.id}|OK|${meta}\r\n${text}`);
  }

  /** The echo of a response of srf's. */
  responseSent(frame: ControlFrame, transactionId: string, dialogId: string, text: string): void {
    const meta = `application|${text.length}|${dialogTokens}|${transactionId}|${dialogId}||Msg sent:|`;
    this.send(`response|${frame.id}|OK|${meta}\r\n${text}`);
  }

  /** A BYE that the engine has sent by itself. */
  unsolicited(dialogId: string, text: string): void {
    this.send(`sip|application|${text.length}|${dialogTokens}|unsolicited|${dialogId}|\r\n${text}`);
  }

  refuse(frame: ControlFrame, text: string): void {
    this.send(`response|${frame.id}|NOK|${text}`);
  }

  /** The next SIP frame whose text begins with `start` that was not returned before. */
  next(start: string, withinMs = 3000): Promise<ControlFrame> {
    const matches = (frame: ControlFrame): boolean => frame.text.startsWith(start);
    const index = this.frames.findIndex(matches);
    const [found] = index < 0 ? [] : this.frames.splice(index, 1);
    if (found !== undefined) return Promise.resolve(found);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no frame ${start} within ${withinMs} ms`)), withinMs);
      this.#waiting.push({
        matches,
        take: (frame) => {
          clearTimeout(timer);
          resolve(frame);
        },
      });
    });
  }

  /** Resolves when the next ping has come. */
  pinged(): Promise<void> {
    return new Promise((resolve) => this.#pinged.push(resolve));
  }

  /** Cuts the connection, and keeps listening. */
  cut(): void {
    this.#socket?.destroy();
  }

  async close(): Promise<void> {
    this.#socket?.destroy();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    this.connections += 1;
    this.#socket = socket;
    this.#buffer = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      this.#buffer = Buffer.concat([this.#buffer, chunk]);
      for (let frame = this.#take(); frame !== undefined; frame = this.#take()) this.#handle(socket, frame);
    });
  }

  #take(): ControlFrame | undefined {
    const hash = this.#buffer.indexOf('#');
    const size = Number(this.#buffer.toString('utf8', 0, hash));
    if (hash < 1 || this.#buffer.length < hash + 1 + size) return undefined;
    const payload = this.#buffer.toString('utf8', hash + 1, hash + 1 + size);
    this.#buffer = this.#buffer.subarray(hash + 1 + size);
    const end = payload.indexOf('\r\n');
    const [id = '', ...tokens] = (end < 0 ? payload : payload.slice(0, end)).split('|');
    return { id, tokens, text: end < 0 ? '' : payload.slice(end + 2) };
  }

  #handle(socket: Socket, frame: ControlFrame): void {
    const [verb, secret] = frame.tokens;
    if (verb === 'authenticate') {
      const known = secret === this.secret;
      const address = 'udp/127.0.0.1:5060,tcp/127.0.0.1:5060';
      this.send(`response|${frame.id}|${known ? `OK|${address}|v0.9.10|${address}` : 'NO|incorrect secret'}`);
      if (!known) socket.end();
      return;
    }
    if (verb === 'route') return this.send(`response|${frame.id}|OK`);
    if (verb === 'ping') {
      if (this.answersPing) this.send(`response|${frame.id}|OK|pong`);
      for (const tell of this.#pinged.splice(0)) tell();
      return;
    }
    const index = this.#waiting.findIndex(({ matches }) => matches(frame));
    const [waiter] = index < 0 ? [] : this.#waiting.splice(index, 1);
    if (waiter === undefined) this.frames.push(frame);
    else waiter.take(frame);
  }
}
