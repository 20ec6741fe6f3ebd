import type { Scenario } from './scenario.js';
import { Stage } from './stage.js';

/** Plays a scenario on the chosen engine. Resolves with its transcript. */
export async function runScenario(scenario: Scenario): Promise<string[]> {
  const stage = await Stage.open();
  try {
    await scenario.run(stage);
    await stage.quiet();
    return stage.transcript();
  } finally {
    await stage.close();
  }
}
