import type { Clock, Timer } from '../clock.js';

/** How long an engine may be silent before it is asked for a sign of life. */
const restMs = 10_000;
/** How long the sign may take; then it is asked for once more, because it may be us who were stopped for a while. */
export const answerWithinMs = 5000;

export interface HeartbeatListener {
  /** The first question was answered: the engine has read all that was sent before it. */
  alive(): void;
  /** Two questions in a row were not answered in time. */
  dead(): void;
}

/**
 * Asks the engine for a sign of life again and again, with the control protocol's `ping`. srf could send pings too, but
 * looks at no answer, and TCP notices a vanished peer only when something is to be sent, after minutes.
 */
export class Heartbeat {
  #question: string | undefined;
  #isAlive = false;
  #timer: Timer | undefined;

  /** `ask` sends a `ping` and returns the id of its frame. */
  constructor(
    private readonly ask: () => string,
    private readonly listener: HeartbeatListener,
    private readonly clock: Clock,
  ) {}

  start(): void {
    this.#askThen(() => this.#askThen(() => this.listener.dead()));
  }

  /** Looks whether a frame from the engine, without its length, is the answer. */
  hear(frame: string): void {
    if (this.#question === undefined) return;
    if (!frame.startsWith(`response|${this.#question}|`, frame.indexOf('|') + 1)) return;
    this.#question = undefined;
    this.#timer?.cancel();
    this.#timer = this.clock.after(restMs, () => this.start());
    if (this.#isAlive) return;
    this.#isAlive = true;
    this.listener.alive();
  }

  stop(): void {
    this.#question = undefined;
    this.#timer?.cancel();
  }

  #askThen(unanswered: () => void): void {
    this.#question = this.ask();
    this.#timer = this.clock.after(answerWithinMs, unanswered);
  }
}
