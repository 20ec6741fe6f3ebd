import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const exitWithinMs = 5000;

/** What is left when the tests end before their hooks have run. */
const running = new Set<ChildProgram>();
process.once('exit', () => {
  for (const program of running) program.abandon();
});

/** A program that a test has started, with a folder of its own that goes when it does. */
export class ChildProgram {
  #output = '';

  private constructor(
    readonly folder: string,
    private readonly child: ChildProcessWithoutNullStreams,
  ) {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        this.#output += chunk.toString();
      });
    }
    child.on('error', (error) => {
      this.#output += String(error);
    });
    child.stdin.on('error', () => undefined);
    running.add(this);
  }

  /** A new folder for one program. */
  static createFolder(name: string): string {
    return mkdtempSync(join(tmpdir(), `${name}-`));
  }

  static start(program: string, args: readonly string[], folder: string): ChildProgram {
    return new ChildProgram(folder, spawn(program, [...args], { cwd: folder, stdio: 'pipe' }));
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Leaves nothing behind when there is no time to wait. */
  abandon(): void {
    this.child.kill('SIGTERM');
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Everything that it has printed. */
  get output(): string {
    return this.#output;
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Stops it and its children where they are: it is there, and says nothing. */
  pause(): void {
    this.#signalAll('SIGSTOP');
  }

  /** Lets it go on after {@link pause}. */
  resume(): void {
    this.#signalAll('SIGCONT');
  }

  /** Ends it at once, as a crash would, and removes its folder. Idempotent. */
  kill(): Promise<void> {
    this.child.kill('SIGKILL');
    return this.stop();
  }

  /** Ends it and removes its folder. Idempotent. */
  async stop(): Promise<void> {
    running.delete(this);
    if (this.running) {
      const exit = once(this.child, 'exit');
      this.child.kill('SIGTERM');
      const cut = setTimeout(() => this.child.kill('SIGKILL'), exitWithinMs);
      await exit;
      clearTimeout(cut);
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  #signalAll(signal: NodeJS.Signals): void {
    if (!this.running) return;
    for (const pid of familyOf(this.child.pid)) process.kill(pid, signal);
  }
}

/** The process and those that come of it (proc(5)). */
function familyOf(pid: number | undefined): readonly number[] {
  if (pid === undefined) return [];
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  return [pid, ...children.flatMap((child) => familyOf(Number(child)))];
}
