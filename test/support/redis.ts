import { createClient } from '@redis/client';
import { once } from 'node:events';
import { connect } from 'node:net';
import { ChildProgram } from './child-program.js';
import { freePort } from './free-port.js';

const askEveryMs = 20;
const readyWithinMs = 10_000;

/** A redis-server on loopback that keeps nothing on the disk. */
export class Redis {
  private constructor(
    readonly port: number,
    private readonly program: ChildProgram,
  ) {}

  /** Starts it and waits until it takes connections. */
  static async start(program: string, port?: number): Promise<Redis> {
    const at = port ?? (await freePort());
    const args = ['--port', String(at), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    const started = new Redis(at, ChildProgram.start(program, args, ChildProgram.createFolder('redis')));
    const deadline = Date.now() + readyWithinMs;
    while (!(await isOpen(at))) {
      if (Date.now() > deadline) throw new Error(`redis-server did not start:\n${started.program.output}`);
      await new Promise((resolve) => setTimeout(resolve, askEveryMs));
    }
    return started;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** The names of all that it holds. */
  async keys(): Promise<readonly string[]> {
    const client = createClient({ url: this.url });
    await client.connect();
    try {
      return await client.keys('*');
    } finally {
      client.destroy();
    }
  }

  /** Answers nobody from now on, with all connections open. */
  halt(): void {
    this.#signal('SIGSTOP');
  }

  goOn(): void {
    this.#signal('SIGCONT');
  }

  stop(): Promise<void> {
    return this.program.stop();
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid, running } = this.program;
    if (pid !== undefined && running) process.kill(pid, signal);
  }
}

async function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
