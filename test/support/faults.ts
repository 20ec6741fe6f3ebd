/**
 * Loaded into a webtrunk before its program (`node --import`): goes wrong in it when it is told to over the process
 * channel. It keeps nobody alive.
 */
export type Fault = 'uncaught_exception' | 'unhandled_rejection' | 'busy' | 'rest';

const spinMs = 620;
let isBusy = false;

/** Leaves the event loop no time, but for a turn now and then. */
function spin(): void {
  if (!isBusy) return;
  for (const until = performance.now() + spinMs; performance.now() < until;);
  setTimeout(spin, 1);
}

const faults: Readonly<Record<Fault, () => void>> = {
  uncaught_exception: () =>
    void setImmediate(() => {
      throw new Error('a fault');
    }),
  unhandled_rejection: () => void Promise.reject(new Error('a fault')),
  busy: () => {
    isBusy = true;
    spin();
  },
  rest: () => {
    isBusy = false;
  },
};

process.on('message', (fault: Fault) => faults[fault]());
process.channel?.unref();
