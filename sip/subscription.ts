import type { HeaderList, InDialogRequest, InDialogResponse, OutOfDialogRequest } from './leg.js';

/** The port for subscriptions (RFC 6665) between the gateway and the two kinds of SIP stack below it. */

/** The dialog of one subscription, on one side. */
export interface SubscriptionLeg {
  /** Sends NOTIFY or SUBSCRIBE in the dialog. Rejects with a SipFailure when no response arrives. */
  request(
    method: string,
    content: { readonly contentType: string; readonly body: string } | undefined,
    headers: HeaderList,
  ): Promise<InDialogResponse>;
  /** Forgets the dialog without a word to the peer. Idempotent. */
  close(): void;
}

/** Who hears of a subscription's dialog. */
export interface SubscriptionListener {
  /** A request of the peer in the dialog; `respond` must be called once. */
  request(request: InDialogRequest): void;
  /** The dialog is lost with the endpoint or the engine; nothing follows. */
  lost(): void;
}

/** A SUBSCRIBE outside any dialog that can be accepted. */
export interface IncomingSubscription extends OutOfDialogRequest {
  /**
   * Answers with this 2xx and makes the dialog. `contact` is the URI that the peer sends its requests in the dialog to.
   * Undefined when it had been answered before.
   */
  accept(
    answer: { readonly status: number; readonly reason: string; readonly headers: HeaderList },
    contact: string,
    listener: SubscriptionListener,
  ): SubscriptionLeg | undefined;
}

/** Whether the request is a SUBSCRIBE that can be accepted. */
export function isSubscription(request: OutOfDialogRequest): request is IncomingSubscription {
  return 'accept' in request;
}
