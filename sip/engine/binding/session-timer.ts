import type { Timer } from '../../clock.js';
import { refreshAfterTakeOverMs } from '../../session-refresh.js';
import { contactUri } from '../dialog/contact.js';
import type { Dialog } from '../dialog/dialog.js';
import { minSessionSeconds, parseSessionExpires } from '../dialog/session-expires.js';
import type { InviteClientUser } from '../transaction/invite-client.js';
import type { Channel } from '../transport/channel.js';
import type { ReceivedResponse } from '../wire/received.js';
import type { SentRequest } from '../wire/sent-request.js';
import type { Core } from './core.js';
import { dialogChannel, writeDialogRequest } from './dialog-request.js';
import { sendOwnBye } from './own-requests.js';

const expiredText = 'Session timer expired';
/** When the peer's re-INVITE or one of the application is under way, or has just collided with ours (RFC 3261 §14.1). */
const retryMs = 3000;

/** Keeps a dialog's session alive, or ends it when the peer does not (RFC 4028 §10; PROTOCOL §6.7). */
export class SessionTimer {
  private timer: Timer | undefined;
  /** What it was last armed with. */
  interval: NonNullable<Dialog['sessionTimer']>['interval'];

  constructor(
    private readonly core: Core,
    private readonly dialog: Dialog,
  ) {
    dialog.cleanups.push(() => this.timer?.cancel());
  }

  /** `weRefresh`: a re-INVITE of ours goes out after half the interval or `refreshMs`; else the session ends with it. */
  arm(seconds: number, weRefresh: boolean, refreshMs = seconds * 500): void {
    this.timer?.cancel();
    this.interval = { seconds, weRefresh };
    if (this.dialog.state === 'ended') return;
    const { clock } = this.core;
    this.timer = weRefresh
      ? clock.after(refreshMs, () => this.refresh(seconds))
      : clock.after(seconds * 1000, () => this.expire());
  }

  private expire(): void {
    sendOwnBye(this.core, this.dialog, expiredText, true);
  }

  private refresh(seconds: number): void {
    const { core, dialog } = this;
    if (dialog.inviteOut || dialog.invite !== undefined || dialog.answer !== undefined || dialog.byeSent) {
      return this.retry(seconds);
    }
    dialogChannel(core, dialog, (channel) => {
      if (dialog.state === 'ended') return;
      const request = writeDialogRequest(dialog, channel, {
        method: 'INVITE',
        extra: `Session-Expires: ${seconds};refresher=uac\r\nMin-SE: ${minSessionSeconds}\r\nSupported: timer\r\n`,
        body: dialog.localSdp,
        ...(dialog.localSdp === '' ? {} : { contentType: 'application/sdp' }),
      });
      dialog.inviteOut = true;
      dialog.waitingForRefresh = [];
      core.transactions.sendInvite(
        request.branch,
        request.bytes,
        channel,
        this.refreshUser(request, seconds),
      );
    });
  }

  private retry(seconds: number): void {
    this.timer = this.core.clock.after(retryMs, () => this.refresh(seconds));
  }

  private refreshUser(request: SentRequest, seconds: number): InviteClientUser {
    let ack: { readonly bytes: Buffer; readonly channel: Channel } | undefined;
    const failed = (): void => {
      this.expire();
      this.done();
    };
    return {
      response: (response) => {
        const { status } = response.message;
        if (status < 200) return;
        if (status >= 300 && status !== 491) return failed();
        if (ack !== undefined) return ack.channel.send(ack.bytes);
        if (status === 491) {
          this.retry(seconds);
          return this.done();
        }
        this.refreshed(response, request.sequence, (bytes, channel) => (ack = { bytes, channel }));
        armFromResponse(this.core, this.dialog, response, seconds);
        this.done();
      },
      timedOut: failed,
      unsent: failed,
      acknowledgement: ({ message }) => request.failureAck(message.headers.get('to') ?? ''),
      gone: () => undefined,
    };
  }

  /** Lets the application's INVITEs go that had to wait. */
  private done(): void {
    const { dialog } = this;
    const waiting = dialog.waitingForRefresh ?? [];
    dialog.inviteOut = false;
    dialog.waitingForRefresh = undefined;
    for (const start of waiting) start();
  }

  private refreshed(
    response: ReceivedResponse,
    sequence: number,
    keep: (ack: Buffer, channel: Channel) => void,
  ): void {
    const { core, dialog } = this;
    dialog.refreshTarget(contactUri(response.message));
    dialogChannel(core, dialog, (channel) => {
      const ack = writeDialogRequest(dialog, channel, { method: 'ACK', sequence });
      keep(ack.bytes, channel);
      channel.send(ack.bytes);
    });
  }
}

function timerOf(core: Core, dialog: Dialog): NonNullable<Dialog['sessionTimer']> {
  return (dialog.sessionTimer ??= new SessionTimer(core, dialog));
}

/** Goes on with the session timer of a dialog of another engine: we refresh soon, and give the peer the whole interval. */
export function resumeSessionTimer(
  core: Core,
  dialog: Dialog,
  { seconds, weRefresh }: { readonly seconds: number; readonly weRefresh: boolean },
): void {
  timerOf(core, dialog).arm(seconds, weRefresh, refreshAfterTakeOverMs(seconds, dialog.localTag));
}

/** After a 2xx to an INVITE or UPDATE of ours; `fallbackSeconds` keeps a session going whose peer left the header out. */
export function armFromResponse(
  core: Core,
  dialog: Dialog,
  response: ReceivedResponse,
  fallbackSeconds?: number,
): void {
  const given = parseSessionExpires(response.message.headers.get('session-expires'));
  const seconds = given?.seconds ?? fallbackSeconds;
  if (seconds === undefined || seconds === 0) return;
  timerOf(core, dialog).arm(seconds, given?.refresher !== 'uas');
}

/**
 * After a 2xx of the application to an INVITE or UPDATE: by its Session-Expires or, in a dialog, by that of the request.
 * The application's own first answer decides whether there is a session timer at all.
 */
export function armFromAnswer(
  core: Core,
  dialog: Dialog,
  answered: string | undefined,
  asked: string | undefined,
): void {
  const given =
    parseSessionExpires(answered) ??
    (dialog.sessionTimer === undefined ? undefined : parseSessionExpires(asked));
  if (given === undefined || given.seconds === 0) return;
  timerOf(core, dialog).arm(Math.max(given.seconds, minSessionSeconds), given.refresher === 'uas');
}
