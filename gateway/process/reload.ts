import type { Config } from '../config/config.js';
import type { ProcessEvents } from '../telemetry/process-events.js';

export interface ReloadOptions {
  /** Reads and checks the configuration again; rejects when it is wrong. */
  readonly load: () => Promise<Config>;
  /** Shows the certificates of `next` to new connections; returns the sections that have one. Throws when it cannot. */
  readonly renew: (next: Config) => readonly string[];
  readonly events: Pick<ProcessEvents, 'certificatesRenewed' | 'reloadFailed'>;
}

/** SIGHUP: certificates are read again. What is wrong changes nothing. */
export class Reload {
  #running: Promise<void> | undefined;
  #again = false;

  constructor(private readonly options: ReloadOptions) {}

  /** Reloads; once more afterwards when it is asked for meanwhile. */
  signal(): void {
    if (this.#running !== undefined) {
      this.#again = true;
      return;
    }
    this.#running = this.#reload().finally(() => {
      this.#running = undefined;
      if (!this.#again) return;
      this.#again = false;
      this.signal();
    });
  }

  async #reload(): Promise<void> {
    const { load, renew, events } = this.options;
    try {
      events.certificatesRenewed({ sections: renew(await load()) });
    } catch (cause) {
      events.reloadFailed({ cause });
    }
  }
}
