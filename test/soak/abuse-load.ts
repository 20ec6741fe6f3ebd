import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { LoadOptions } from './load.js';

/** The load's thread is told this once. */
export type LoadOrder = Pick<LoadOptions, 'endpoints' | 'rate' | 'seed' | 'talkMs' | 'reconnectEverySeconds'>;

export type LoadCommand =
  | { readonly kind: 'sign_in'; readonly wsUrl: string; readonly sipPort: number }
  | { readonly kind: 'run'; readonly seconds: number }
  | { readonly kind: 'hang_up' }
  | { readonly kind: 'close' };

/** What became of the calls that were begun in a run. */
export interface LoadRun {
  readonly begun: number;
  readonly ended: number;
  readonly failures: readonly string[];
  /** From INVITE to 18x, of each call. */
  readonly ringMs: readonly number[];
}

export type LoadAnswer =
  | { readonly kind: 'opened'; readonly pbxPort: number }
  | { readonly kind: 'done' }
  | ({ readonly kind: 'ran' } & LoadRun)
  | { readonly kind: 'failed'; readonly why: string };

/** The calls that no attack may harm, in a thread of their own: what attackers have to do must not delay their clocks. */
export class AbuseLoad {
  private constructor(
    private readonly thread: Worker,
    readonly pbxPort: number,
  ) {}

  /** Opens the PBX. */
  static async open(order: LoadOrder): Promise<AbuseLoad> {
    const thread = new Worker(new URL('./abuse-load-thread.js', import.meta.url), { workerData: order });
    const opened = await answerOf(thread);
    if (opened.kind !== 'opened') throw new Error('the load did not open its PBX');
    return new AbuseLoad(thread, opened.pbxPort);
  }

  /** Registers every phone. */
  async signIn(wsUrl: string, sipPort: number): Promise<void> {
    await this.command({ kind: 'sign_in', wsUrl, sipPort });
  }

  /** Makes calls for so long; resolves when the last of them has ended. */
  async run(seconds: number): Promise<LoadRun> {
    const answer = await this.command({ kind: 'run', seconds });
    if (answer.kind !== 'ran') throw new Error(`the load answered ${answer.kind}`);
    return answer;
  }

  /** Closes the socket of every phone. */
  async hangUp(): Promise<void> {
    await this.command({ kind: 'hang_up' });
  }

  async close(): Promise<void> {
    const exit = once(this.thread, 'exit');
    await this.command({ kind: 'close' });
    await exit;
  }

  private async command(command: LoadCommand): Promise<LoadAnswer> {
    const answer = answerOf(this.thread);
    this.thread.postMessage(command);
    const given = await answer;
    if (given.kind === 'failed') throw new Error(`the load: ${given.why}`);
    return given;
  }
}

async function answerOf(thread: Worker): Promise<LoadAnswer> {
  const [answer] = (await once(thread, 'message')) as [LoadAnswer];
  return answer;
}
