import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** What is answered: a text, a number, nothing, an error, or several; or raw bytes in place of an answer. */
export type RedisReply =
  string | number | null | Error | Buffer | readonly RedisReply[] | ReadonlyMap<string, RedisReply>;

/** Stands in for Redis: takes commands on loopback and answers as the test says (RESP3). */
export class ScriptedRedis {
  /** Answers by command, in capitals; without one {@link usual} does. Undefined: silence. */
  readonly script = new Map<string, (args: readonly string[]) => RedisReply | undefined>();
  /** Every answer goes through it. */
  change: (bytes: Buffer) => Buffer = (bytes) => bytes;
  commands = 0;
  private readonly sockets = new Set<Socket>();

  private constructor(private readonly server: Server) {
    server.on('connection', (socket) => this.serve(socket));
  }

  static async start(): Promise<ScriptedRedis> {
    const server = createServer({ noDelay: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new ScriptedRedis(server);
  }

  get url(): string {
    return `redis://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Ends all connections. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    this.server.close();
    await once(this.server, 'close');
  }

  private serve(socket: Socket): void {
    let input = Buffer.alloc(0);
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('error', () => undefined);
    socket.on('data', (some) => {
      input = Buffer.concat([input, some]);
      for (let read = readCommand(input); read !== undefined; read = readCommand(input)) {
        input = input.subarray(read.end);
        this.answer(socket, read.words);
      }
    });
  }

  private answer(socket: Socket, [name = '', ...args]: readonly string[]): void {
    this.commands += 1;
    const command = name.toUpperCase();
    const script = this.script.get(command);
    const reply = script === undefined ? usual(command) : script(args);
    if (reply !== undefined && !socket.destroyed) socket.write(this.change(encode(reply)));
  }
}

/** Of a Redis that holds nothing. */
function usual(command: string): RedisReply {
  if (command === 'HELLO') return new Map<string, RedisReply>([['proto', 3]]);
  if (command === 'SMEMBERS' || command === 'HVALS' || command === 'MGET') return [];
  if (command === 'HGETALL') return new Map();
  if (command === 'RENAME') return new Error('ERR no such key');
  return command === 'SET' || command === 'CLIENT' ? 'OK' : 1;
}

function encode(reply: RedisReply): Buffer {
  if (Buffer.isBuffer(reply)) return reply;
  if (reply === null) return Buffer.from('_\r\n');
  if (typeof reply === 'number') return Buffer.from(`:${reply}\r\n`);
  if (typeof reply === 'string') return Buffer.from(`$${Buffer.byteLength(reply)}\r\n${reply}\r\n`);
  if (reply instanceof Error) return Buffer.from(`-${reply.message}\r\n`);
  const inner = reply instanceof Map ? [...reply].flat() : [...reply];
  const head = reply instanceof Map ? `%${reply.size}\r\n` : `*${inner.length}\r\n`;
  return Buffer.concat([Buffer.from(head), ...inner.map(encode)]);
}

/** The first command of the input; undefined while it is not whole. */
function readCommand(input: Buffer): { readonly words: readonly string[]; readonly end: number } | undefined {
  const head = lineAt(input, 0);
  if (head === undefined) return undefined;
  const words: string[] = [];
  let at = head.end;
  for (let left = Number(head.text.slice(1)); left > 0; left--) {
    const length = lineAt(input, at);
    if (length === undefined) return undefined;
    const end = length.end + Number(length.text.slice(1));
    if (input.length < end + 2) return undefined;
    words.push(input.toString('utf8', length.end, end));
    at = end + 2;
  }
  return { words, end: at };
}

function lineAt(input: Buffer, from: number): { readonly text: string; readonly end: number } | undefined {
  const end = input.indexOf('\r\n', from);
  return end < 0 ? undefined : { text: input.toString('latin1', from, end), end: end + 2 };
}
