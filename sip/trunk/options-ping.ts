import type { Clock } from '../clock.js';
import { failure } from '../failure.js';
import type { Party } from '../leg.js';

/** Who asks: nobody in particular, at the engine's own address. */
export const pingParty: Party = { uri: 'sip:webtrunk@localhost' };

/** Rejects with `trunk.timeout` when the answer takes longer than `timeoutMs`. */
export function pingTimeout<Answer>(
  answer: Promise<Answer>,
  timeoutMs: number,
  clock: Clock,
): Promise<Answer> {
  return within(answer, timeoutMs, clock, `no answer to OPTIONS in ${timeoutMs} ms`);
}

/** Rejects with `trunk.timeout` and `detail` when the answer takes longer than `timeoutMs`. */
export function within<Answer>(
  answer: Promise<Answer>,
  timeoutMs: number,
  clock: Clock,
  detail: string,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const late = clock.after(timeoutMs, () => reject(failure('trunk.timeout', { detail })));
    answer.then(resolve, reject).finally(() => late.cancel());
  });
}
