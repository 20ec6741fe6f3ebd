import { z } from 'zod';

/** What one window says to the others of the same user. */
const saidSchema = z.union([
  z.object({ ask: z.string() }),
  z.object({ answer: z.string(), calls: z.string() }),
  z.object({ taken: z.string() }),
]);

export interface OtherWindowsEvents {
  /** No other window is in a call any more. */
  callsOver(): void;
  /** The window that had the line is gone. */
  lineFree(): void;
  /** Another window wants the calls of this one: gives what it needs to go on with them, or nothing when they cannot move. */
  handOver(): string;
  /** It has got that in time, and the calls are its own now. */
  handedOver(): void;
}

/** A window that is reloaded comes back to its line within this time. */
const reloadMs = 3_000;
const answerMs = 1_000;

/**
 * The windows that one browser has open for one user. They are one device to the server, which knows the latest of them only:
 * a call in any other could neither end nor be ended. So they agree here, by Web Locks, which a window that crashes cannot
 * keep. Where there are none, on pages over plain HTTP, there are no microphones, and so no calls, either.
 */
export class OtherWindows {
  private readonly locks: LockManager | undefined = 'locks' in navigator ? navigator.locks : undefined;
  private readonly channel: BroadcastChannel;
  private readonly callLock: string;
  private readonly lineLock: string;
  private watch = new AbortController();
  private answered: string | undefined;
  private isWaiting = false;
  /** Our request for the lock of the line that has been granted, unless another window has taken it since. */
  private held: symbol | undefined;
  private leaveLine: (() => void) | undefined;
  private callsEnded: (() => void) | undefined;

  /** @param aor of whom the windows are, `alice@example.com` */
  constructor(
    aor: string,
    private readonly events: OtherWindowsEvents,
  ) {
    this.callLock = `webtrunk.call ${aor}`;
    this.lineLock = `webtrunk.line ${aor}`;
    this.channel = new BroadcastChannel(`webtrunk ${aor}`);
    this.channel.addEventListener('message', ({ data }: MessageEvent<unknown>) => this.asked(data));
  }

  /** Tells the others whether this window has a call. */
  setInCall(inCall: boolean): void {
    if (inCall === (this.callsEnded !== undefined)) return;
    this.callsEnded?.();
    this.callsEnded = undefined;
    if (!inCall) return;
    const over = new Promise<void>((resolve) => {
      this.callsEnded = resolve;
    });
    this.locks?.request(this.callLock, { mode: 'shared' }, () => over).catch(() => undefined);
  }

  /** Whether any window has a call. */
  async areInCall(): Promise<boolean> {
    const held = (await this.locks?.query().catch(() => undefined))?.held ?? [];
    return held.some(({ name }) => name === this.callLock);
  }

  /** This window has the line from now on, whoever had it. */
  takeLine(): void {
    this.stopWaiting();
    this.holdLine({ steal: true });
  }

  /** The line is another window's: {@link OtherWindowsEvents.lineFree} follows when that one is gone. */
  waitForLine(): void {
    this.stopWaiting();
    this.isWaiting = true;
    // Whoever took the line without the lock is no window of this browser: to wait for the lock would be to fight.
    if (this.held === undefined) this.holdLine({ signal: this.watch.signal });
  }

  /** {@link OtherWindowsEvents.callsOver} follows when no window is in a call. */
  waitForCalls(): void {
    const { signal } = this.watch;
    this.locks
      ?.request(this.callLock, { signal }, () => !signal.aborted && this.events.callsOver())
      .catch(() => undefined);
  }

  /**
   * Asks the window that is in a call for it. Gives what its {@link OtherWindowsEvents.handOver} gave; undefined when no
   * window is in a call, or none answers within a second.
   */
  async askForCalls(): Promise<string | undefined> {
    if (!(await this.areInCall())) return undefined;
    const id = String(Math.random());
    return new Promise((resolve) => {
      const done = (calls: string | undefined): void => {
        clearTimeout(timer);
        this.channel.removeEventListener('message', listen);
        if (calls !== undefined && calls !== '') this.channel.postMessage({ taken: id });
        resolve(calls);
      };
      const timer = setTimeout(() => done(undefined), answerMs);
      const listen = ({ data }: MessageEvent<unknown>): void => {
        const said = saidSchema.safeParse(data).data;
        if (said !== undefined && 'answer' in said && said.answer === id) done(said.calls);
      };
      this.channel.addEventListener('message', listen);
      this.channel.postMessage({ ask: id });
    });
  }

  /** Gives up line and calls. Idempotent. */
  close(): void {
    this.stopWaiting();
    this.setInCall(false);
    this.leaveLine?.();
    this.leaveLine = undefined;
    this.channel.close();
  }

  private asked(data: unknown): void {
    const said = saidSchema.safeParse(data).data;
    if (said === undefined || this.callsEnded === undefined) return;
    if ('ask' in said) {
      this.answered = said.ask;
      this.channel.postMessage({ answer: said.ask, calls: this.events.handOver() });
    } else if ('taken' in said && said.taken === this.answered) this.events.handedOver();
  }

  private stopWaiting(): void {
    this.isWaiting = false;
    this.watch.abort();
    this.watch = new AbortController();
  }

  /** Holds the lock of the line until {@link close}, or until another window takes it. */
  private holdLine(options: LockOptions): void {
    const request = Symbol();
    const granted = (): Promise<void> => {
      this.held = request;
      setTimeout(() => this.isWaiting && this.held === request && this.events.lineFree(), reloadMs);
      return new Promise<void>((resolve) => {
        this.leaveLine = resolve;
      });
    };
    this.locks?.request(this.lineLock, options, granted).catch(() => {
      if (this.held !== request) return;
      this.held = undefined;
      if (this.isWaiting) this.waitForLine();
    });
  }
}
