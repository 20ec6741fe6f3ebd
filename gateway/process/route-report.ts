import type { Clock } from '../../sip/clock.js';
import { SipFailure } from '../../sip/failure.js';
import { loadConfig } from '../config/load.js';
import type { Environment } from '../config/environment.js';
import { rehearsalText } from '../rehearsal/rehearsal-text.js';
import { rehearse } from '../rehearsal/rehearsal.js';
import { UnknownCaller, type RehearsalRequest } from '../rehearsal/rehearsed-source.js';
import { UsageError } from './usage.js';

/** What `webtrunk route` prints, and whether the call would go somewhere. */
export interface RouteReport {
  readonly text: string;
  readonly goesSomewhere: boolean;
}

/** Rehearses a call by the configuration in `file`. Throws a ConfigError or a UsageError. */
export async function routeReport(
  file: string,
  { atMs, ...request }: Omit<RehearsalRequest, 'atMs'> & { readonly atMs: number | undefined },
  env: Environment,
  clock: Clock,
): Promise<RouteReport> {
  const config = await loadConfig(file, env);
  try {
    const call = await rehearse(config, { ...request, atMs: atMs ?? clock.nowMs() }, clock);
    return { text: rehearsalText(call), goesSomewhere: !(call.explained.plan instanceof SipFailure) };
  } catch (thrown) {
    if (thrown instanceof UnknownCaller) throw new UsageError(thrown.message, { cause: thrown });
    if (!(thrown instanceof SipFailure)) throw thrown;
    return { text: `The call is answered ${thrown.status}: ${thrown.message}\n`, goesSomewhere: false };
  }
}
