/** Timers of RFC 3261 §17 (table 4), in milliseconds. */
export const t1Ms = 500;
export const t2Ms = 4_000;
/** 64·T1: Timers B, F, H, L and M, and how long a 2xx or a reliable 1xx waits for its acknowledgement. */
export const transactionTimeoutMs = 64 * t1Ms;

/** Timer C (RFC 3261 §16.6 step 11): how long an INVITE may go without any word from the other side. */
export const timerCMs = 181_000;
