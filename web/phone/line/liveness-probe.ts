const intervalMs = 25_000;
const answerMs = 5_000;

interface ProbeActions {
  /** Sends a double CRLF, which the other end answers with a single one. */
  send(): void;
  /** The other end owes an answer for too long. */
  dead(): void;
}

/**
 * Notices a connection that has died without a word, by the keep-alive of RFC 5626 §4.4.1: a page cannot send WebSocket
 * pings. A server that has never answered one is not judged by it.
 */
export class LivenessProbe {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private answers = false;
  private waiting = false;

  constructor(private readonly actions: ProbeActions) {}

  start(): void {
    this.waiting = false;
    this.check();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.waiting = false;
  }

  /** Asks now; does nothing while an answer is awaited. */
  check(): void {
    if (this.waiting) return;
    clearTimeout(this.timer);
    this.waiting = true;
    this.actions.send();
    this.timer = setTimeout(() => this.unanswered(), answerMs);
  }

  /** Takes note of anything that came in: whatever it is, the connection lives. */
  heard(data: string): void {
    if (data.trim() === '') this.answers = true;
    if (!this.waiting) return;
    this.waiting = false;
    this.pause();
  }

  private unanswered(): void {
    this.waiting = false;
    if (this.answers) {
      this.actions.dead();
      return;
    }
    this.pause();
  }

  private pause(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.check(), intervalMs);
  }
}
