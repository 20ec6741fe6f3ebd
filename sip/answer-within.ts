/** Longest time, in ms, that a request other than INVITE waits for its answer: well below 64·T1 (RFC 4320 §4.2). */
export const answerWithinMs = 20_000;
