import type { Timer } from '../../clock.js';
import { sentMeta } from '../control-protocol/meta.js';
import type { Dialog } from '../dialog/dialog.js';
import type { Core } from './core.js';

/** When neither side has said how long; most event packages say an hour (RFC 6665 §7.2.4 leaves it to them). */
const defaultSeconds = 3600;
/** Longer than any subscription is left without a refresh. */
const mostSeconds = 7 * 24 * 3600;
const expiredText = 'Subscription expired';

/**
 * Ends a dialog when its last subscription was not refreshed: 64·T1 after it has expired, so that the side that is to say so
 * (RFC 6665 §4.2.2: the notifier, by NOTIFY) can do it first.
 */
export class SubscriptionExpiry {
  /** By Event; removed when it expires. */
  private readonly timers = new Map<string, Timer>();

  constructor(
    private readonly core: Core,
    private readonly dialog: Dialog,
  ) {
    dialog.cleanups.push(() => this.stop());
  }

  /** The subscription to that Event lasts for so long from now. */
  arm(event: string, seconds: number): void {
    if (this.dialog.state === 'ended') return;
    const { clock, timers } = this.core;
    this.timers.get(event)?.cancel();
    const delayMs = 1000 * Math.min(seconds, mostSeconds) + timers.lifetimeMs;
    this.timers.set(
      event,
      clock.after(delayMs, () => this.expired(event)),
    );
  }

  private expired(event: string): void {
    this.timers.delete(event);
    if (this.timers.size > 0) return;
    const { core, dialog } = this;
    core.log.info({ sipCallId: dialog.callId, event }, 'a subscription was not refreshed: its dialog ends');
    const text = notice(dialog);
    dialog.owner?.unsolicited(sentMeta(dialog.channel, Buffer.byteLength(text)), dialog.id, text);
    core.dialogs.end(dialog);
  }

  private stop(): void {
    for (const timer of this.timers.values()) timer.cancel();
    this.timers.clear();
  }
}

/** Seconds of the first Expires that can be read; `values` in the order in which they count. */
export function expiresSeconds(...values: readonly (string | undefined)[]): number {
  const found = values.find((value) => value !== undefined && /^\s*\d{1,10}\s*$/.test(value));
  return found === undefined ? defaultSeconds : Number(found);
}

/** A 2xx to SUBSCRIBE, or the first NOTIFY, begins or refreshes a subscription (RFC 6665 §4.1.2.3, §4.2.1.1). */
export function armSubscription(
  core: Core,
  dialog: Dialog,
  event: string | undefined,
  seconds: number,
): void {
  if (dialog.kind !== 'SUBSCRIBE') return;
  dialog.subscriptions ??= new SubscriptionExpiry(core, dialog);
  dialog.subscriptions.arm((event ?? '').trim().toLowerCase(), seconds);
}

/** A NOTIFY may say how long the subscription lasts from now on (RFC 6665 §4.1.3). */
export function armFromState(
  core: Core,
  dialog: Dialog,
  event: string | undefined,
  state: string | undefined,
): void {
  const [, seconds] = /;\s*expires\s*=\s*(\d{1,10})\s*(?:;|$)/i.exec(state ?? '') ?? [];
  if (seconds !== undefined) armSubscription(core, dialog, event, Number(seconds));
}

/** What tells drachtio-srf, which knows no other word for it, that the dialog is gone (PROTOCOL §4.4); it is not sent. */
function notice({ path, localParty, remoteParty, callId, localSequence }: Dialog): string {
  return (
    `BYE ${path.requestUri} SIP/2.0\r\nMax-Forwards: 70\r\nFrom: ${localParty}\r\nTo: ${remoteParty}\r\n` +
    `Call-ID: ${callId}\r\nCSeq: ${localSequence + 1} BYE\r\n` +
    `Reason: SIP;cause=480;text="${expiredText}"\r\nContent-Length: 0\r\n\r\n`
  );
}
