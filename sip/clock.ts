/** A running timer. `cancel` is idempotent and safe after the timer has fired. */
export interface Timer {
  cancel(): void;
}

/** The only source of time and timers (DESIGN §9 rule 7); tests put their own in its place. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  nowMs(): number;
  /** Calls `act` once, `delayMs` milliseconds from now. */
  after(delayMs: number, act: () => void): Timer;
  /** Calls `act` every `periodMs` milliseconds until cancelled. */
  every(periodMs: number, act: () => void): Timer;
}

/** Longer delays make setTimeout fire at once. */
const longestDelayMs = 2 ** 31 - 1;

/** The machine's clock. No delay is longer than 24.8 days. Its timers never keep the process alive by themselves. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  after(delayMs, act) {
    const timer = setTimeout(act, Math.min(delayMs, longestDelayMs));
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
  every(periodMs, act) {
    const timer = setInterval(act, Math.min(periodMs, longestDelayMs));
    timer.unref();
    return { cancel: () => clearInterval(timer) };
  },
};
