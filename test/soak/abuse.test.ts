import assert from 'node:assert/strict';
import { abuseScenarios } from '../support/abuse/abuse-scenarios.js';
import { openAbuseRig, type OpenAbuseRig } from './abuse-rig.js';
import { runScenario } from './abuse-run.js';

const attackSeconds = 0.9;
const patienceSeconds = 3;

describe('abuse in its short form: while 10 calls a second go well,', function () {
  this.timeout(40_000);
  let rig: OpenAbuseRig;

  before(async () => {
    rig = await openAbuseRig(
      { endpoints: 60, rate: 10, seed: 7118, talkMs: { least: 50, most: 300 }, reconnectEverySeconds: 60 },
      patienceSeconds,
    );
  });

  after(async () => {
    assert.equal(await rig.close(), '');
  });

  for (const [at, scenario] of abuseScenarios.entries()) {
    it(scenario.name, async () => {
      const { flaws, answered } = await runScenario(rig, scenario, at + 1, attackSeconds);
      assert.deepEqual(flaws, [], answered);
    });
  }
});
