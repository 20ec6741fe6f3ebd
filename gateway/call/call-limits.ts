/** Limits of one call, in milliseconds. */
export interface CallLimits {
  readonly maxRingMs: number;
  readonly maxDurationMs: number;
}

/** Limits that one side sets; undefined: none. */
export type SideLimits = { readonly [Limit in keyof CallLimits]?: number | undefined };

/** How long a call waits for one host of a trunk. */
export interface HostPatience {
  /** How long it may say nothing at all. */
  readonly attemptTimeoutMs?: number | undefined;
  /** How long it may say nothing more after 100 Trying. */
  readonly progressTimeoutMs?: number | undefined;
}

/** What a target allows a call. */
export interface TargetLimits extends SideLimits, HostPatience {}

/** Longest wait for the legs of an ended call to report their end: 64·T1 and some (RFC 3261 §17). */
export const settleMs = 40_000;

/** The shorter of each. */
export function tightest(limits: SideLimits, side: SideLimits = {}): SideLimits {
  return {
    maxRingMs: shorter(limits.maxRingMs, side.maxRingMs),
    maxDurationMs: shorter(limits.maxDurationMs, side.maxDurationMs),
  };
}

function shorter(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
}
