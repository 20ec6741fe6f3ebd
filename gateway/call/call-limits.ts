/** Limits of one call, in milliseconds. */
export interface CallLimits {
  readonly maxRingMs: number;
  readonly maxDurationMs: number;
}

/** Limits that one side sets; undefined: none. */
export type SideLimits = { readonly [Limit in keyof CallLimits]?: number | undefined };

/** What a target allows a call. */
export interface TargetLimits extends SideLimits {
  /** How long it may say nothing but 100 Trying. */
  readonly attemptTimeoutMs?: number | undefined;
}

/** The shorter of each. */
export function tightest(limits: CallLimits, side: SideLimits = {}): CallLimits {
  return {
    maxRingMs: Math.min(limits.maxRingMs, side.maxRingMs ?? Infinity),
    maxDurationMs: Math.min(limits.maxDurationMs, side.maxDurationMs ?? Infinity),
  };
}
