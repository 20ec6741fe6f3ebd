import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ProbeRequest, Usage } from './probe.js';

const probe = new URL('./probe.js', import.meta.url).href;
const stopWithinMs = 15_000;
const keptLog = 20_000;

/** A Node program in a process of its own whose CPU time and memory can be asked for. */
export class MeasuredProcess {
  private output = '';
  private logged = '';

  private constructor(private readonly child: ChildProcess) {
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.output = (this.output + text).slice(-4_000);
    });
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.logged = (this.logged + text).slice(-keptLog);
    });
  }

  /** `program` is a compiled file, seen from this folder; its standard output is lost unless `keepsLog`. */
  static start(program: string, args: readonly string[], keepsLog = false): MeasuredProcess {
    const file = fileURLToPath(new URL(program, import.meta.url));
    const child = spawn(process.execPath, ['--expose-gc', '--import', probe, file, ...args], {
      stdio: ['ignore', keepsLog ? 'pipe' : 'ignore', 'pipe', 'ipc'],
    });
    return new MeasuredProcess(child);
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Null while it runs, and when a signal has ended it. */
  get exitCode(): number | null {
    return this.child.exitCode;
  }

  /** The end of what it wrote to its standard error. */
  get errors(): string {
    return this.output;
  }

  /** The end of what it wrote to its standard output. */
  get log(): string {
    return this.logged;
  }

  /** Asks the probe in it. */
  async ask(request: ProbeRequest = {}): Promise<Usage> {
    if (this.hasEnded) throw new Error(`the measured process has ended: ${this.output}`);
    const answer = once(this.child, 'message');
    this.child.send(request);
    const [usage] = (await answer) as [Usage];
    return usage;
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    if (this.hasEnded) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }

  /** Asks it to end, and makes it end when it does not. */
  async stop(): Promise<void> {
    if (this.hasEnded) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), stopWithinMs);
    await ended;
    clearTimeout(timer);
  }
}
