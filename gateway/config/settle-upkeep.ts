import type { CallLimitsConfig, TrunkConfig } from './config.js';
import type { ConfigFile } from './schema.js';
import { parseDurationMs } from './units.js';

type WrittenTrunk = ConfigFile['trunks'][number];

function ms(text: string): number {
  return parseDurationMs(text) ?? notChecked();
}

function optionalMs(text: string | undefined): number | undefined {
  return text === undefined ? undefined : ms(text);
}

/** The schema has already parsed the same text with the same function. */
function notChecked(): never {
  throw new TypeError('the schema let a value pass that cannot be parsed');
}

/** What keeps a trunk usable. */
export function settleUpkeep({
  type,
  register,
  options,
  attempt_timeout: attemptTimeout,
  progress_timeout: progressTimeout,
  failover_on: failoverOn,
  limits,
}: WrittenTrunk): Pick<
  TrunkConfig,
  'register' | 'options' | 'attemptTimeoutMs' | 'progressTimeoutMs' | 'failoverOn' | 'limits'
> {
  return {
    register:
      type === 'register'
        ? { expiresMs: ms(register?.expires ?? '300s'), retryMs: ms(register?.retry ?? '30s') }
        : undefined,
    options:
      options === undefined ? undefined : { everyMs: ms(options.every), failAfter: options.fail_after },
    attemptTimeoutMs: optionalMs(attemptTimeout),
    progressTimeoutMs: optionalMs(progressTimeout),
    failoverOn,
    limits: settleCallLimits(limits),
  };
}

/** Limits of a trunk or of users. */
export function settleCallLimits(limits: WrittenTrunk['limits']): CallLimitsConfig | undefined {
  if (limits === undefined) return undefined;
  const { channels, cps, max_duration: maxDuration, max_ring: maxRing } = limits;
  return { channels, cps, maxDurationMs: optionalMs(maxDuration), maxRingMs: optionalMs(maxRing) };
}
