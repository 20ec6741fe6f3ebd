/** What one step of an examination found. */
export interface Finding {
  readonly step: 'resolve' | 'connect' | 'tls' | 'options' | 'register' | 'call';
  /** `failed`: calls will fail too. `warn`: they may. */
  readonly result: 'ok' | 'warn' | 'failed';
  /** One line: what came of it. */
  readonly says: string;
  /** What was sent, and what came back, line by line. */
  readonly details?: readonly string[];
  /** The most likely reason, in plain words. */
  readonly cause?: string;
  /** What to change. */
  readonly change?: string;
}

/** A reason and what to do about it. */
export interface Advice {
  readonly cause: string;
  readonly change: string;
}
