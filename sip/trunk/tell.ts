import type { Log } from '../log.js';

/** Calls a listener outside srf's own call stack; what it throws is logged and ends nothing. */
export function tell(log: Log, act: () => void): void {
  queueMicrotask(() => attempt(log, act));
}

/** Runs `act`; false, and a log line, when it throws. */
export function attempt(log: Log, act: () => void): boolean {
  try {
    act();
    return true;
  } catch (thrown) {
    log.error({ err: thrown }, 'an event of the trunk met a defect');
    return false;
  }
}
