import {
  InviteServerTransaction,
  NonInviteServerTransaction,
  TransactionState,
  UserAgentServer,
  type UserAgentCore,
} from 'sip.js/lib/core/index.js';
import type { Timer } from '../clock.js';
import type { SipFailure } from '../failure.js';
import type { HeaderList } from '../leg.js';
import { newTag, reasonPhrase, respond, serializeText, type SipRequest } from '../message/index.js';
import { oneLine, safeHeaders } from './header-lines.js';
import type { EndpointUserAgent } from './endpoint-user-agent.js';
import type { AdaptedRequest } from './message-adapter.js';

export interface Reply {
  readonly reason?: string;
  /** Written as given, after those of the request. */
  readonly headers?: HeaderList;
  readonly sdp?: string;
}

/**
 * A request that we serve in a transaction of sip.js. Unlike sip.js's own servers it takes a tag of ours and lets the
 * codec write the responses.
 */
abstract class ServerRequest extends UserAgentServer {
  readonly request: SipRequest;
  /** Runs while the request waits for an answer of somebody else's. */
  limit: Timer | undefined;
  private disposed = false;

  constructor(
    transaction: typeof InviteServerTransaction | typeof NonInviteServerTransaction,
    core: UserAgentCore,
    message: AdaptedRequest,
  ) {
    super(transaction, core, message);
    this.request = message.original;
    if (message.toTag === undefined) this.toTag = newTag();
  }

  /** The tag of ours in the responses, hence of the dialog. */
  get localTag(): string {
    return this.toTag;
  }

  /** False once a final response has been sent or the transaction is gone. */
  get isOpen(): boolean {
    if (this.disposed) return false;
    const { state } = this.transaction;
    return state === TransactionState.Trying || state === TransactionState.Proceeding;
  }

  /** Sends a response; undefined, and nothing sent, after a final one (DESIGN §9 rule 6). */
  respond(status: number, reply: Reply = {}): string | undefined {
    if (!this.isOpen) return undefined;
    const text = responseText(this.request, status, reply, this.toTag);
    this.transaction.receiveResponse(status, text);
    return text;
  }

  refuse(failure: SipFailure): string | undefined {
    return this.respond(failure.status, { reason: failure.reason, headers: safeHeaders(failure.headers) });
  }

  /** Called when the transaction ends, too. */
  override dispose(): void {
    this.disposed = true;
    this.limit?.cancel();
    super.dispose();
  }

  /** Frees the transaction at once: over a reliable transport nothing that it waits for can still come. */
  finish(): void {
    this.core.userAgentServers.delete(this.transaction.id);
    this.dispose();
  }
}

/** An INVITE or re-INVITE that we serve. */
export class InviteServer extends ServerRequest {
  /** The peer takes its INVITE back while it is unanswered; the 487 is the owner's to send. */
  onCancel: ((cancel: SipRequest) => void) | undefined;
  private last: string | undefined;

  constructor(core: UserAgentCore, message: AdaptedRequest) {
    super(InviteServerTransaction, core, message);
  }

  /** The last response, for as long as its ACK has not come. */
  get unconfirmed(): string | undefined {
    return this.transaction.state === TransactionState.Confirmed ? undefined : this.last;
  }

  override respond(status: number, reply: Reply = {}): string | undefined {
    const text = super.respond(status, reply);
    this.last = text ?? this.last;
    return text;
  }
}

/** Any other request that we serve, but ACK and CANCEL. */
export class PlainServer extends ServerRequest {
  constructor(
    private readonly agent: EndpointUserAgent,
    message: AdaptedRequest,
  ) {
    super(NonInviteServerTransaction, agent, message);
  }

  override respond(status: number, reply: Reply = {}): string | undefined {
    const text = super.respond(status, reply);
    if (text !== undefined && status >= 200) this.agent.answers.add(text);
    return text;
  }
}

export type { ServerRequest };

/** A response as text (RFC 3261 §8.2.6); without `toTag` the same tag for the same request every time. */
export function responseText(request: SipRequest, status: number, reply: Reply = {}, toTag?: string): string {
  return serializeText(
    respond(request, status, {
      reason: reply.reason === undefined ? reasonPhrase(status) : oneLine(reply.reason),
      ...(toTag === undefined ? {} : { toTag }),
      ...(reply.headers === undefined ? {} : { headers: reply.headers }),
      ...(reply.sdp === undefined ? {} : { body: reply.sdp, contentType: 'application/sdp' }),
    }),
  );
}
