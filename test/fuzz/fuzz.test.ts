import assert from 'node:assert/strict';
import { readCallDocument } from '../../gateway/hand-over/call-document.js';
import { readBindings } from '../../gateway/location/binding-record.js';
import { foundFor } from './found.js';
import { fuzzPure } from './fuzz-pure.js';
import { gatewayTargets } from './gateway-targets.js';
import { pureTargets } from './pure-targets.js';
import { bindings, callDocument } from './stored-records.js';

const brief = { untilMs: Infinity, seed: 8, say: () => undefined, isBrief: true };
const counts: Readonly<Record<string, number>> = {
  config: 150,
  websocket: 76,
  pages: 120,
  admin: 120,
  ng: 60,
  store: 60,
  drachtio: 120,
};
const usualCount = 500;

describe('inputs that went wrong once', () => {
  for (const [name, target] of Object.entries(pureTargets)) {
    for (const kept of foundFor(name)) it(kept.name, () => target.read(kept.bytes));
  }
});

describe('any input, in its short form', () => {
  it('the records that are changed are right before', () => {
    assert.notEqual(readCallDocument(JSON.stringify(callDocument)), undefined);
    assert.notEqual(readBindings(JSON.stringify(bindings)), undefined);
  });

  const pure = Object.entries(pureTargets).map(([name, target]) => [name, fuzzPure(name, target)] as const);
  for (const [name, target] of [...pure, ...Object.entries(gatewayTargets)]) {
    const count = counts[name] ?? usualCount;
    it(`${name}: ${count} inputs do no harm`, async function () {
      this.timeout(60_000);
      const { runs } = await target({ ...brief, count });
      assert.ok(runs >= count, `${runs}`);
    });
  }
});
