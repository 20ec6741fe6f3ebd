import assert from 'node:assert/strict';
import { fuzzEngine } from './engine-fuzz.js';

const count = 100_000;
/** What the heap may differ by between two moments at rest, whatever happened in between. */
const slackBytes = 4 * 1024 * 1024;

describe('mutations against the running engine', () => {
  it(`${count} datagrams, stream bytes and control frames: it lives, keeps nothing, and calls go on`, async function () {
    this.timeout(240_000);
    const { heapBytes, state, datagrams } = await fuzzEngine({ count, seed: 3261 });
    const [early, late] = heapBytes;
    assert.ok(late - early < slackBytes, `live memory went from ${early} to ${late} bytes`);
    assert.deepEqual(state.errors, []);
    assert.ok(state.received > datagrams * 0.9, `${state.received} of ${datagrams} datagrams were received`);
    for (const name of ['malformed', 'strayResponses', 'refused'] as const)
      assert.ok(state.counters[name] > count / 1_000, `${name}: ${state.counters[name]}`);
  });
});
