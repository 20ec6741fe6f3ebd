import type { Stage } from './stage.js';

/** A call flow that both engines must carry alike. */
export interface Scenario {
  /** Of the file below `expected/`. */
  readonly name: string;
  /** What the flow shows, for the reader of a report. */
  readonly shows: string;
  run(stage: Stage): Promise<void>;
}
