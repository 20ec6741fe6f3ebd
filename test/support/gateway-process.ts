import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../gateway/main.js', import.meta.url));
const exitWithinMs = 10_000;

/** One line of webtrunk's log. */
export type LogLine = Readonly<Record<string, unknown>>;

/** A webtrunk in a process of its own, as operators run it. */
export class GatewayProcess {
  readonly lines: LogLine[] = [];
  readonly #returned = new Set<LogLine>();
  readonly #waiting: (() => void)[] = [];

  private constructor(private readonly child: ChildProcess) {
    if (child.stdout === null || child.stderr === null) throw new Error('its output cannot be read');
    for (const input of [child.stdout, child.stderr]) {
      createInterface({ input }).on('line', (line) => {
        this.lines.push(parseLine(line));
        this.#wake();
      });
    }
    child.once('exit', () => this.#wake());
  }

  /** Resolves when it is up. Its log must be JSON. `before`: a module that is loaded first, and hears {@link tell}. */
  static async start(configFile: string, before?: URL): Promise<GatewayProcess> {
    const loaded = before === undefined ? [] : ['--import', before.href];
    const child = spawn(process.execPath, [...loaded, program, 'start', '--config', configFile], {
      stdio: before === undefined ? 'pipe' : ['pipe', 'pipe', 'pipe', 'ipc'],
    });
    const started = new GatewayProcess(child);
    await started.logged('started');
    return started;
  }

  /** The next log line of that event that was not returned before. */
  async logged(event: string): Promise<LogLine> {
    for (;;) {
      const found = this.lines.find((line) => line['event'] === event && !this.#returned.has(line));
      if (found !== undefined) {
        this.#returned.add(found);
        return found;
      }
      if (!this.#runs) {
        throw new Error(`it ended without ${event}:\n${JSON.stringify(this.lines, undefined, 1)}`);
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** `http://…` of `pages` or `admin`, from its first log line. */
  url(of: 'pages' | 'admin'): string {
    const url = this.lines.find(({ event }) => event === 'started')?.[of];
    return typeof url === 'string' ? url : '';
  }

  /** Of a process that has ended by itself. */
  get exitCode(): number | null {
    return this.child.exitCode;
  }

  /** Tells the module that was loaded before it. */
  tell(message: string): void {
    this.child.send(message);
  }

  /** Resolves when it has ended, by itself. */
  async ended(): Promise<void> {
    if (this.#runs) await once(this.child, 'exit');
  }

  /** As a crash or the out-of-memory killer does it. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Ends it in order, or as a crash when that takes too long. Idempotent. */
  async stop(withinMs = exitWithinMs): Promise<void> {
    const cut = setTimeout(() => this.child.kill('SIGKILL'), withinMs);
    await this.#end('SIGTERM');
    clearTimeout(cut);
  }

  get #runs(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (!this.#runs) return;
    const exit = once(this.child, 'exit');
    this.child.kill(signal);
    await exit;
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

function parseLine(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return { text: line };
  }
}
