import assert from 'node:assert/strict';
import { soakCalls } from './calls.js';

describe('a load of calls, in its short form', () => {
  it('100 endpoints that reconnect at random and 10 calls/s: none fails, nothing is left', async function () {
    this.timeout(60_000);
    const lines: string[] = [];
    const seen = await soakCalls({
      minutes: 4 / 60,
      rate: 10,
      endpoints: 100,
      seed: 7118,
      say: (line) => lines.push(line),
      talkMs: { least: 200, most: 1_500 },
      reconnectEverySeconds: 20,
      refreshEveryMs: 1_000,
      reportEverySeconds: 2,
      graceSeconds: 1,
      waitsForTransactions: false,
    });
    assert.match(
      seen,
      /passthrough: 40 calls, none failed, .* [1-9]\d{2} refreshes, .*relay: 2 calls, none failed/,
      lines.join('\n'),
    );
  });
});
