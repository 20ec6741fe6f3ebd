import assert from 'node:assert/strict';
import { chosenEngine } from '../support/engine-under-test.js';
import { expectedTranscript } from './expected-transcript.js';
import { runScenario } from './run-scenario.js';
import { scenarios } from './scenarios/all.js';

describe(`conformance of the SIP engine`, () => {
  for (const scenario of scenarios) {
    it(`${scenario.name}: ${scenario.shows}`, async function () {
      this.timeout(90_000);
      const lines = await runScenario(scenario);
      assert.deepEqual(lines, expectedTranscript(scenario.name, chosenEngine()));
    });
  }
});
