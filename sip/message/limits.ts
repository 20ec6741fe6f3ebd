/** What a message may cost at most; each is checked before any work that grows with it. */
export interface ParseLimits {
  /** Whole message, start line to body. */
  readonly maxBytes: number;
  /** Header lines. */
  readonly maxHeaders: number;
  /** One header line, its folded lines included, or the start line. */
  readonly maxHeaderBytes: number;
  /** Values of one header field, on one line or on several. */
  readonly maxListLength: number;
}

export const defaultParseLimits: ParseLimits = {
  maxBytes: 64 * 1024,
  maxHeaders: 256,
  maxHeaderBytes: 8 * 1024,
  maxListLength: 64,
};
