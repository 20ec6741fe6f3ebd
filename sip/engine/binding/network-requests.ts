import { randomUUID } from 'node:crypto';
import {
  checkContact,
  checkCSeqMethod,
  checkMaxForwards,
  checkRequestUriScheme,
  tagOf,
  type SipRequest,
} from '../../message/index.js';
import { failure, type SipFailure } from '../../failure.js';
import { receivedMeta, released } from '../control-protocol/meta.js';
import { contactUri } from '../dialog/contact.js';
import type { Dialog } from '../dialog/dialog.js';
import { InviteServerTransaction } from '../transaction/invite-server.js';
import { minSessionSeconds, parseSessionExpires } from '../dialog/session-expires.js';
import type { ReceivedRequest } from '../wire/received.js';
import { writeFailure, writeRefusal } from '../wire/response-text.js';
import { subscriptionKey, uasDialogId, type Core } from './core.js';
import { refreshesTarget } from './dialog-request.js';
import { ServerInvite } from './server-invite.js';
import { ServerRequest } from './server-request.js';
import { armFromState } from './subscription-expiry.js';

type Gate = (request: SipRequest) => SipFailure | undefined;

/** Checks of every request, in order; none leaves state behind. */
const gates: readonly Gate[] = [checkCSeqMethod, checkRequestUriScheme];

/** Further checks outside dialogs. */
const outOfDialogGates: readonly Gate[] = [checkMaxForwards, checkContact];

/** Methods that only make sense inside a dialog (RFC 3261 §12.2.2: 481). */
const dialogOnly = new Set(['BYE', 'PRACK', 'UPDATE']);

const knownMethods = new Set([
  'INVITE',
  'OPTIONS',
  'REGISTER',
  'MESSAGE',
  'SUBSCRIBE',
  'NOTIFY',
  'PUBLISH',
  'INFO',
  'REFER',
]);

function firstFailure(request: SipRequest, list: readonly Gate[]): SipFailure | undefined {
  for (const gate of list) {
    const found = gate(request);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Requests from the network that belong to no transaction yet. */
export class NetworkRequests {
  constructor(
    private readonly core: Core,
    private readonly counters: { refused: number },
  ) {}

  /** Whether it belongs to something of ours: an INVITE that it cancels, a dialog, or a subscription that it begins. */
  isExpected(message: SipRequest): boolean {
    const { transactions, subscriptions } = this.core;
    if (message.method === 'CANCEL') return transactions.server(message, 'INVITE') !== undefined;
    const localTag = tagOf(message.to);
    if (localTag === undefined) return false;
    return (
      this.dialogOf(message) !== undefined || subscriptions.has(subscriptionKey(message.callId, localTag))
    );
  }

  /** A request without To tag. */
  outOfDialog(request: ReceivedRequest): void {
    const { message } = request;
    const { core } = this;
    const bad = firstFailure(message, gates) ?? firstFailure(message, outOfDialogGates);
    if (bad !== undefined) return this.refuse(request, bad);
    if (dialogOnly.has(message.method)) return this.refuse(request, failure('dialog.unknown'));
    // RFC 3261 §8.2.2.2
    if (core.transactions.isMerged(message)) return this.refuse(request, failure('message.loop'));
    if (this.takesName(message))
      return this.refuse(
        request,
        failure('message.loop', { detail: 'its dialog would have the id of another' }),
      );
    const tooMuch = core.overload.refusal();
    if (tooMuch !== undefined) return this.refuse(request, tooMuch);
    const client = core.control.clientFor(message.method);
    if (client === undefined) return this.refuse(request, this.unserved(message.method));
    const transactionId = randomUUID();
    const options = { transactionId, owner: client, request, dialog: undefined };
    if (message.method === 'INVITE') new ServerInvite(core, options);
    else new ServerRequest(core, { ...options, answerDialogId: '' });
    const meta = receivedMeta(request.channel, request.bytes.length);
    client.newRequest(meta, transactionId, request.channel.local, request.text);
  }

  /** A request with To tag. */
  inDialog(request: ReceivedRequest): void {
    const { message, channel } = request;
    const bad = firstFailure(message, gates);
    if (bad !== undefined) return this.refuse(request, bad);
    const dialog = this.dialogOf(message) ?? this.overtaken(request);
    if (dialog === undefined) return this.refuse(request, failure('dialog.unknown'));
    // RFC 3261 §12.2.2
    if (dialog.remoteSequence !== undefined && message.cseq.number <= dialog.remoteSequence) {
      return this.refuse(request, failure('dialog.sequence'));
    }
    if (dialog.owner === undefined) return this.refuse(request, failure('dialog.unknown'));
    dialog.remoteSequence = message.cseq.number;
    dialog.channel = channel;
    const bars = tooBrief(message) ?? (message.method === 'INVITE' ? this.glare(dialog) : undefined);
    if (bars !== undefined) return this.refuse(request, bars);
    if (refreshesTarget(message.method)) dialog.refreshTarget(contactUri(message));
    this.forward(request, dialog, dialog.owner);
  }

  /** ACK for a 2xx: ends its retransmission and goes to the application once (PROTOCOL §4.3). */
  acknowledge(request: ReceivedRequest): void {
    const { message, channel } = request;
    const dialog = this.dialogOf(message);
    const answer = dialog?.answer;
    if (dialog === undefined || answer === undefined || answer.sequence !== message.cseq.number) return;
    answer.stop();
    dialog.answer = undefined;
    const meta = released(receivedMeta(channel, request.bytes.length));
    dialog.owner?.message(
      meta,
      answer.transactionId === '' ? randomUUID() : answer.transactionId,
      dialog.id,
      request.text,
    );
    for (const start of answer.held) start();
  }

  /** RFC 3261 §9.2. */
  cancel(request: ReceivedRequest): void {
    const { message, channel } = request;
    const bad = checkCSeqMethod(message);
    if (bad !== undefined) return this.refuse(request, bad);
    const transaction = this.core.transactions.server(message, 'INVITE');
    if (!(transaction instanceof InviteServerTransaction))
      return this.refuse(request, failure('dialog.unknown'));
    channel.send(writeRefusal(request, 200, [], 'OK', transaction.user.localTag));
    transaction.user.cancelled(request);
  }

  private forward(request: ReceivedRequest, dialog: Dialog, owner: NonNullable<Dialog['owner']>): void {
    const { core } = this;
    const { message, channel } = request;
    const { method } = message;
    const invite = dialog.invite;
    const meta = receivedMeta(channel, request.bytes.length);
    if (method === 'PRACK' && invite?.acknowledgeProvisional(message.headers.get('rack') ?? '') !== true) {
      return this.refuse(request, failure('dialog.unknown'));
    }
    if (method === 'BYE') return this.bye(request, dialog, owner);
    const transactionId = randomUUID();
    if (method === 'INVITE') {
      new ServerInvite(core, { transactionId, owner, request, dialog });
      return owner.message(meta, transactionId, dialog.id, request.text);
    }
    if (method === 'UPDATE' && dialog.state === 'early' && dialog.role === 'uas' && invite !== undefined) {
      if (!invite.takeUpdate(request)) this.refuse(request, failure('dialog.request_pending'));
      return;
    }
    new ServerRequest(core, { transactionId, owner, request, dialog, answerDialogId: dialog.id });
    owner.message(meta, transactionId, dialog.id, request.text);
    if (method === 'NOTIFY') this.notified(dialog, message);
  }

  private notified(dialog: Dialog, message: SipRequest): void {
    if (endsSubscription(dialog, message)) return this.core.dialogs.end(dialog);
    const { headers } = message;
    armFromState(this.core, dialog, headers.get('event'), headers.get('subscription-state'));
  }

  /** RFC 3261 §15.1.2. */
  private bye(request: ReceivedRequest, dialog: Dialog, owner: NonNullable<Dialog['owner']>): void {
    const { core } = this;
    const { invite } = dialog;
    const isEarlyCall = dialog.state === 'early' && dialog.role === 'uas';
    if (dialog.byeSent || isEarlyCall) {
      // Both sides hang up at once, or the caller does before an answer: the application is told in another way.
      request.channel.send(writeRefusal(request, 200, [], 'OK'));
      invite?.terminate(487);
      return core.dialogs.end(dialog);
    }
    const transactionId = randomUUID();
    new ServerRequest(core, { transactionId, owner, request, dialog, answerDialogId: '' });
    owner.message(
      receivedMeta(request.channel, request.bytes.length),
      transactionId,
      dialog.id,
      request.text,
    );
    invite?.terminate(487);
    core.dialogs.end(dialog);
  }

  /** RFC 3261 §14.2. */
  private glare(dialog: Dialog): SipFailure | undefined {
    if (dialog.inviteOut) return failure('dialog.request_pending');
    if (dialog.invite === undefined) return undefined;
    return failure('dialog.sequence', {
      headers: [['Retry-After', '3']],
      detail: 'INVITE while another is pending',
    });
  }

  /** The dialog that a NOTIFY makes which has overtaken the response to its SUBSCRIBE. */
  private overtaken(request: ReceivedRequest): Dialog | undefined {
    const { message } = request;
    if (message.method !== 'NOTIFY') return undefined;
    const key = subscriptionKey(message.callId, tagOf(message.to) ?? '');
    return this.core.subscriptions.get(key)?.notified(request);
  }

  /** Whether the dialog that it would make could not be told from one that is there: applications know no To tag. */
  private takesName({ method, callId, from }: SipRequest): boolean {
    if (method !== 'INVITE' && method !== 'SUBSCRIBE') return false;
    const there = this.core.dialogs.named(uasDialogId(this.core, callId, tagOf(from)));
    return there !== undefined && !there.byeSent;
  }

  private dialogOf(message: SipRequest): Dialog | undefined {
    return this.core.dialogs.find(message.callId, tagOf(message.to) ?? '', tagOf(message.from) ?? '');
  }

  /** No application takes the method. */
  private unserved(method: string): SipFailure {
    if (!knownMethods.has(method)) return failure('message.method_unknown');
    return failure('trunk.engine_away', {
      headers: [['Retry-After', '5']],
      detail: `no application takes ${method}`,
    });
  }

  private refuse(request: ReceivedRequest, reason: SipFailure): void {
    const { message, channel } = request;
    this.counters.refused += 1;
    this.core.log.debug(
      {
        method: message.method,
        sipCallId: message.callId,
        status: reason.status,
        code: reason.code,
        remote: channel.remote,
      },
      'request refused',
    );
    channel.send(writeFailure(request, reason));
  }
}

/** RFC 4028 §9: a shorter interval than our Min-SE is refused. */
function tooBrief(message: SipRequest): SipFailure | undefined {
  if (message.method !== 'INVITE' && message.method !== 'UPDATE') return undefined;
  const asked = parseSessionExpires(message.headers.get('session-expires'));
  if (asked === undefined || asked.seconds >= minSessionSeconds) return undefined;
  return failure('message.session_interval', { headers: [['Min-SE', String(minSessionSeconds)]] });
}

/** RFC 6665 §4.4.1; not for REFER (PROTOCOL §6.8). */
function endsSubscription(dialog: Dialog, message: SipRequest): boolean {
  return (
    dialog.kind === 'SUBSCRIBE' &&
    /^\s*terminated/i.test(message.headers.get('subscription-state') ?? '') &&
    !/^\s*refer\b/i.test(message.headers.get('event') ?? '')
  );
}
