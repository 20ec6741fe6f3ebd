import type { Config } from '../config/config.js';
import type { ConfigChange } from '../config/diff.js';
import type { ProcessEvents } from '../telemetry/process-events.js';

export interface ReloadOptions {
  /** Reads and checks the configuration again; rejects when it is wrong. */
  readonly load: () => Promise<Config>;
  /** Takes over what it can; rejects, with everything as it was, when it cannot. */
  readonly apply: (next: Config) => Promise<readonly ConfigChange[]>;
  readonly events: Pick<ProcessEvents, 'reloaded' | 'reloadFailed'>;
}

/** What became of a reload. */
export interface ReloadOutcome {
  /** Paths of what is in force now. */
  readonly applied: readonly string[];
  /** Paths of what has changed in the file and keeps its old value until a restart. */
  readonly needsRestart: readonly string[];
}

/** SIGHUP, or the API: the configuration is read again. What is wrong changes nothing. */
export class Reload {
  /** The last reload of all; they run one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: ReloadOptions) {}

  /** Reloads after those that are under way. Rejects with what is wrong, which has been told. */
  run(): Promise<ReloadOutcome> {
    const reloaded = this.#last.then(() => this.#reload());
    this.#last = reloaded.catch(() => undefined);
    return reloaded;
  }

  async #reload(): Promise<ReloadOutcome> {
    const { load, apply, events } = this.options;
    try {
      const changes = await apply(await load());
      const outcome = {
        applied: changes.filter(({ isLive }) => isLive).map(({ path }) => path),
        needsRestart: changes.filter(({ isLive }) => !isLive).map(({ path }) => path),
      };
      events.reloaded(outcome);
      return outcome;
    } catch (cause) {
      events.reloadFailed({ cause });
      throw cause;
    }
  }
}
