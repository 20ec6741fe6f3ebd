/** How long a broken path may heal by itself, and how long an attempt to replace it may take. */
const graceMs = 2_000;
const attemptMs = 8_000;
const maxAttempts = 4;
/** How soon it is asked again when now was not the time. */
const soonMs = 500;

/**
 * Watches the network path of one call's media and asks for a new one when it breaks: after a change from one network
 * to another the signalling comes back by itself, the sound only with an ICE restart.
 */
export class MediaRepair {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private attempts = 0;

  /** @param restart offers a new path and says true, or says that now is not the time for it */
  constructor(private readonly restart: () => boolean) {}

  /** The path broke or is being built. Does nothing when a repair is under way. */
  broken(): void {
    if (this.timer === undefined && this.attempts < maxAttempts) this.plan(graceMs);
  }

  /** The network is another one: a path that still seems to stand goes through the old one. */
  changed(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = undefined;
      if (!this.restart()) this.changed();
    }, soonMs);
  }

  /** The path stands: a later break gets all attempts again. */
  whole(): void {
    this.close();
    this.attempts = 0;
  }

  close(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private plan(delayMs: number): void {
    this.timer = setTimeout(() => {
      this.timer = undefined;
      if (!this.restart()) {
        this.plan(graceMs);
        return;
      }
      this.attempts += 1;
      if (this.attempts < maxAttempts) this.plan(attemptMs);
    }, delayMs);
  }
}
