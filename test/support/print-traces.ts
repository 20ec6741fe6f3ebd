import { subscribe } from 'node:diagnostics_channel';

/** To be loaded before webtrunk: everything that is traced goes to standard output, one JSON line each. */
for (const channel of ['webtrunk:message', 'webtrunk:transaction', 'webtrunk:media']) {
  subscribe(channel, (trace) =>
    process.stdout.write(`${JSON.stringify({ event: 'trace', channel, trace })}\n`),
  );
}
