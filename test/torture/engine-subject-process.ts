import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { EngineCounters } from '../../sip/engine/engine.js';

/** What the engine's process is asked. */
export interface SubjectRequest {
  readonly collectGarbage?: boolean;
  /** Sends an INVITE to that UDP port of 127.0.0.1. */
  readonly callPort?: number;
  /** Ends every dialog that the application has. */
  readonly hangUp?: boolean;
}

export interface SubjectState {
  readonly udpPort: number;
  readonly tcpPort: number;
  /** Undefined where no certificate can be made. */
  readonly tlsPort: number | undefined;
  readonly controlPort: number;
  readonly sizes: Readonly<Record<string, number>>;
  readonly counters: EngineCounters;
  /** Messages that the engine has taken from the network. */
  readonly received: number;
  /** Dialogs that the application has. */
  readonly held: number;
  /** What the engine logged as an error. */
  readonly errors: readonly string[];
  /** Live objects, when garbage was collected; else with it. */
  readonly heapBytes: number;
}

export const subjectSecret = 'a secret';

const answerWithinMs = 20_000;

/** The engine under torment, seen from outside. */
export class EngineSubject {
  private output = '';

  private constructor(private readonly child: ChildProcess) {
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.output = (this.output + text).slice(-8_000);
    });
  }

  /** Starts it; names are looked up at `nameServer` (`address:port`). */
  static start(nameServer: string): EngineSubject {
    const program = fileURLToPath(new URL('./engine-subject.js', import.meta.url));
    return new EngineSubject(
      fork(program, [nameServer], {
        execArgv: ['--expose-gc', '--enable-source-maps'],
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      }),
    );
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Its state, after it has done what is asked. Throws with its last words when it has ended. */
  async ask(request: SubjectRequest = {}): Promise<SubjectState> {
    if (this.hasEnded) throw new Error(`the engine's process has ended:\n${this.output}`);
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(new Error('the engine does not answer')), answerWithinMs);
    const { signal } = stop;
    const gone = once(this.child, 'close', { signal }).then(() => {
      throw new Error(`the engine's process has ended:\n${this.output}`);
    });
    try {
      const answer = once(this.child, 'message', { signal });
      this.child.send(request);
      const [state] = (await Promise.race([answer, gone])) as [SubjectState];
      return state;
    } finally {
      clearTimeout(timer);
      gone.catch(() => undefined);
      stop.abort();
    }
  }

  /** Ends it. Idempotent. */
  async stop(): Promise<void> {
    if (this.hasEnded) return;
    const ended = once(this.child, 'exit');
    this.child.disconnect();
    await ended;
  }
}
