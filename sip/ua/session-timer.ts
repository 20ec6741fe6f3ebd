import type { Timer } from '../clock.js';
import type { BrowserDialogSnapshot, HeaderList, HeaderView } from '../leg.js';
import { refreshAfterTakeOverMs, sessionAnswer, sessionExpiresOf } from '../session-refresh.js';
import type { EndpointContext } from './endpoint-context.js';

/** Smallest session interval that RFC 4028 §4 allows, in seconds. */
export const minSessionExpiresSeconds = 90;

export interface SessionTimerUser {
  /** It is our turn: send an UPDATE with this header. */
  refresh(sessionExpires: string): void;
  /** The browser was to refresh and has not. */
  expired(): void;
}

/**
 * The session timer of one dialog (RFC 4028). It never asks for one; when the browser does, the browser refreshes
 * unless it wants us to, and a session that is not refreshed ends.
 */
export class SessionTimer {
  private timer: Timer | undefined;
  private interval: BrowserDialogSnapshot['sessionTimer'];

  constructor(
    private readonly context: EndpointContext,
    private readonly user: SessionTimerUser,
  ) {}

  /** Takes an INVITE or UPDATE of the browser; returns the headers that its 2xx needs (RFC 4028 §9). */
  answer(request: HeaderView): HeaderList {
    const wanted = sessionExpiresOf(request);
    if (wanted === undefined) {
      this.stop();
      return [];
    }
    this.start(wanted.seconds, wanted.refresher === 'uas');
    return sessionAnswer(request);
  }

  /** Takes the 2xx to an INVITE or UPDATE of ours (RFC 4028 §7.2). */
  learn(response: HeaderView): void {
    const granted = sessionExpiresOf(response);
    if (granted === undefined) this.stop();
    else this.start(granted.seconds, granted.refresher !== 'uas');
  }

  /** The interval that runs; undefined when there is none. */
  get running(): BrowserDialogSnapshot['sessionTimer'] {
    return this.interval;
  }

  /** Goes on with the interval of an earlier process: we refresh soon, and give the browser all of it for doing so. */
  restore(
    { seconds, weRefresh }: NonNullable<BrowserDialogSnapshot['sessionTimer']>,
    localTag: string,
  ): void {
    this.start(seconds, weRefresh, refreshAfterTakeOverMs(seconds, localTag));
  }

  stop(): void {
    this.timer?.cancel();
    this.timer = undefined;
    this.interval = undefined;
  }

  private start(seconds: number, ours: boolean, refreshMs = (seconds / 2) * 1000): void {
    this.stop();
    this.interval = { seconds, weRefresh: ours };
    if (ours) {
      this.timer = this.context.after(refreshMs, () => this.user.refresh(`${seconds};refresher=uac`));
      return;
    }
    // RFC 4028 §10: the BYE goes out a little before the session expires at the peer.
    const marginSeconds = Math.min(32, seconds / 3);
    this.timer = this.context.after((seconds - marginSeconds) * 1000, () => this.user.expired());
  }
}
