import { createClient } from '@redis/client';
import { ChildProgram } from './child-program.js';
import { freePort } from './free-port.js';
import { Journal } from './journal.js';
import { untilListening } from './listening.js';

/** A redis-server on loopback that keeps nothing on the disk. */
export class Redis {
  readonly #watching: { destroy(): void }[] = [];

  private constructor(
    readonly port: number,
    private readonly program: ChildProgram,
  ) {}

  /** Starts it and waits until it takes connections. */
  static async start(program: string, port?: number): Promise<Redis> {
    const at = port ?? (await freePort());
    const args = ['--port', String(at), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    const started = new Redis(at, ChildProgram.start(program, args, ChildProgram.createFolder('redis')));
    try {
      await untilListening('tcp', at);
    } catch (cause) {
      await started.stop();
      throw new Error(`redis-server did not start:\n${started.program.output}`, { cause });
    }
    return started;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** The names of all that it holds. */
  keys(): Promise<readonly string[]> {
    return this.#texts('KEYS', '*');
  }

  /** What a set holds. */
  members(set: string): Promise<readonly string[]> {
    return this.#texts('SMEMBERS', set);
  }

  /** Any command; gives its answer. */
  async ask(...words: readonly string[]): Promise<unknown> {
    const client = createClient({ url: this.url });
    await client.connect();
    try {
      return await client.sendCommand(words);
    } finally {
      client.destroy();
    }
  }

  /** What it tells of every command that it gets from now on: name and arguments, each in quotes. */
  async watch(): Promise<Journal<string>> {
    const commands = new Journal<string>();
    const client = createClient({ url: this.url, socket: { reconnectStrategy: false } });
    client.on('error', () => undefined);
    this.#watching.push(client);
    await client.connect();
    await client.monitor((reply) => commands.add(String(reply)));
    return commands;
  }

  /** Answers nobody from now on, with all connections open. */
  halt(): void {
    this.#signal('SIGSTOP');
  }

  goOn(): void {
    this.#signal('SIGCONT');
  }

  stop(): Promise<void> {
    for (const client of this.#watching.splice(0)) client.destroy();
    return this.program.stop();
  }

  async #texts(...words: readonly string[]): Promise<readonly string[]> {
    const answer = await this.ask(...words);
    return Array.isArray(answer) ? answer.map(String) : [];
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid, running } = this.program;
    if (pid !== undefined && running) process.kill(pid, signal);
  }
}
