import {
  InviteClientTransaction,
  UserAgentClient,
  type IncomingResponseMessage,
  type OutgoingRequestMessage,
} from 'sip.js/lib/core/index.js';
import type { Timer } from '../clock.js';
import type { SipFailure } from '../failure.js';
import type { ReofferResult } from '../leg.js';
import { forget, refusalOf } from './client-request.js';
import { deferred } from './deferred.js';
import { failureFor, type EndReason } from './end-reason.js';
import type { EndpointContext } from './endpoint-context.js';
import type { LegDialog } from './leg-dialog.js';
import { AdaptedResponse, sdpOf } from './message-adapter.js';
import { requestOptions, OutgoingRequest } from './outgoing-request.js';
import { timerCMs, transactionTimeoutMs } from './timing.js';

export interface ReinviteUser {
  /** A 2xx has come. */
  accepted(response: AdaptedResponse): void;
  /** The ACK has been sent. */
  acknowledged(): void;
  refused(failure: SipFailure): void;
}

/** A re-INVITE of ours (RFC 3261 §14.1), from the request until nothing of it can come any more. */
export class Reinvite {
  private readonly outcome = deferred<ReofferResult>();
  private readonly client: UserAgentClient;
  private readonly limit: Timer;
  private readonly request: OutgoingRequestMessage;
  private state: 'waiting' | 'accepted' | 'acknowledged' | 'over' | 'abandoned' = 'waiting';

  constructor(
    private readonly context: EndpointContext,
    private readonly dialog: LegDialog,
    private readonly user: ReinviteUser,
    lines: readonly string[],
    sdp: string | undefined,
  ) {
    this.request = dialog.createOutgoingRequestMessage('INVITE', requestOptions([...lines], sdp));
    const refuse = ({ message }: { message: IncomingResponseMessage }): void =>
      context.safely(() => this.refuse(message));
    this.client = new UserAgentClient(InviteClientTransaction, context.core, this.request, {
      onAccept: ({ message }) => context.safely(() => this.accept(message)),
      onRedirect: refuse,
      onReject: refuse,
    });
    this.limit = context.after(timerCMs, () => this.refuse(undefined));
  }

  get result(): Promise<ReofferResult> {
    return this.outcome.promise;
  }

  /** The leg ends. An answer that crosses our BYE is still acknowledged. */
  abandon(reason: EndReason): void {
    this.limit.cancel();
    const unanswered = this.state === 'waiting';
    if (this.state === 'accepted') this.acknowledge(undefined);
    this.state = unanswered ? 'abandoned' : 'over';
    if (this.request instanceof OutgoingRequest) this.request.takenBack = true;
    this.outcome.reject(failureFor(reason));
    if (unanswered) this.context.after(transactionTimeoutMs, () => this.forget());
    else this.forget();
  }

  /** Frees the transaction. */
  forget(): void {
    forget(this.context.core, this.client);
  }

  private accept(message: IncomingResponseMessage): void {
    if (!(message instanceof AdaptedResponse)) return;
    this.limit.cancel();
    if (this.state === 'abandoned') {
      this.state = 'over';
      this.dialog.acknowledge(this.client, this.request.cseq, undefined);
      return;
    }
    if (this.state !== 'waiting') return;
    this.state = 'accepted';
    this.user.accepted(message);
    this.outcome.resolve({ sdp: sdpOf(message.original), ack: (sdp) => this.acknowledge(sdp) });
  }

  private acknowledge(sdp: string | undefined): void {
    if (this.state !== 'accepted') return;
    this.state = 'acknowledged';
    this.dialog.acknowledge(this.client, this.request.cseq, sdp);
    this.user.acknowledged();
  }

  private refuse(message: IncomingResponseMessage | undefined): void {
    this.limit.cancel();
    if (message === undefined) this.forget();
    if (this.state !== 'waiting') return;
    this.state = 'over';
    const refusal = refusalOf(message);
    this.outcome.reject(refusal);
    this.user.refused(refusal);
  }
}
