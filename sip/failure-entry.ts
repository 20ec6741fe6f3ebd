/** Who is to blame, as seen from webtrunk. */
export type FailureParty = 'caller' | 'callee' | 'upstream' | 'gateway';

/** How loud the log is about it. */
export type FailureSeverity = 'info' | 'warn' | 'error';

export interface FailureEntry {
  readonly status: number;
  readonly reason: string;
  readonly party: FailureParty;
  readonly severity: FailureSeverity;
  /** What the operator can do about it, in plain words. */
  readonly remedy: string;
}

/** Writes an entry of the catalogue on few lines. */
export const entry = (
  status: number,
  reason: string,
  party: FailureParty,
  severity: FailureSeverity,
  remedy: string,
): FailureEntry => ({ status, reason, party, severity, remedy });
