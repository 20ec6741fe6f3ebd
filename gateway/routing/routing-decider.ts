import type { Clock } from '../../sip/clock.js';
import { failure } from '../../sip/failure.js';
import type { RoutingConfig } from '../config/config.js';
import { askOverHttp } from './http-hook.js';
import { loadHook } from './module-hook.js';
import { readAnswer } from './routing-answer.js';
import type { RoutingAnswer, RoutingQuestion } from './routing-hook.js';

/** Asks the hook of the configuration where a call goes. */
export interface RoutingDecider {
  /** `trunks`: those that it may name. Undefined: the routes decide. Rejects with `route.hook_failed` when there is no answer and the routes may not decide. */
  decide(question: RoutingQuestion, trunks: readonly string[]): Promise<RoutingAnswer | undefined>;
}

export interface RoutingDeciderOptions {
  readonly routing: RoutingConfig;
  /** The hook gave no answer that can be used. */
  failed(why: string, fallback: 'routes' | 'reject'): void;
  readonly clock: Clock;
}

type Ask = (question: RoutingQuestion, signal: AbortSignal) => unknown;

/** Loads the hook when it is a module. Rejects when that cannot be loaded. */
export async function openDecider(options: RoutingDeciderOptions): Promise<RoutingDecider> {
  const { routing } = options;
  const ask = await askerOf(routing);
  return {
    async decide(question, trunks) {
      try {
        return known(readAnswer(await inTime(ask, question, options)), trunks);
      } catch (thrown) {
        const why = reasonOf(thrown);
        options.failed(why, routing.fallback);
        if (routing.fallback === 'routes') return undefined;
        throw failure('route.hook_failed', { detail: why, cause: thrown });
      }
    },
  };
}

async function askerOf({ hook }: RoutingConfig): Promise<Ask> {
  if (hook.kind === 'http') {
    const where = { url: hook.url, token: hook.token?.reveal() };
    return (question, signal) => askOverHttp(where, question, signal);
  }
  return loadHook(hook.path);
}

/** The answer, when it comes in time. A module that never returns holds the whole process: nothing can interrupt it. */
async function inTime(
  ask: Ask,
  question: RoutingQuestion,
  { clock, routing: { timeoutMs } }: RoutingDeciderOptions,
): Promise<unknown> {
  const aborter = new AbortController();
  let giveUp = (): void => undefined;
  const late = new Promise<never>((_, reject) => {
    giveUp = () => {
      aborter.abort();
      reject(new Error(`no answer within ${timeoutMs} ms`));
    };
  });
  const timer = clock.after(timeoutMs, () => giveUp());
  try {
    return await Promise.race([Promise.resolve(ask(question, aborter.signal)), late]);
  } finally {
    timer.cancel();
  }
}

function known(answer: RoutingAnswer | undefined, trunks: readonly string[]): RoutingAnswer | undefined {
  if (answer === undefined || typeof answer.to === 'string' || !('trunks' in answer.to)) return answer;
  const unknown = answer.to.trunks.find((name) => !trunks.includes(name));
  if (unknown !== undefined) throw new Error(`there is no trunk ${unknown}`);
  return answer;
}

/** `fetch failed` alone says nothing: its cause does. */
function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const { cause } = thrown;
  return cause instanceof Error ? `${thrown.message}: ${cause.message}` : thrown.message;
}
