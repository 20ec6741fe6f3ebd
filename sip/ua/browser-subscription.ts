import { failure } from '../failure.js';
import type { HeaderList, InDialogResponse, OutOfDialogRequest } from '../leg.js';
import { serializeUri, tagOf, type SipRequest } from '../message/index.js';
import type { IncomingSubscription, SubscriptionLeg, SubscriptionListener } from '../subscription.js';
import { sendRequest } from './client-request.js';
import type { EndpointContext } from './endpoint-context.js';
import { answerHeaders, headerLines, nameAddrText, oneLine, safeHeaders } from './header-lines.js';
import { requestOf } from './in-dialog.js';
import { contactUri, type AdaptedRequest } from './message-adapter.js';
import { bodyOf } from './outgoing-request.js';
import { PlainServer } from './server-request.js';
import { WireUri } from './wire-uri.js';

/** Where subscriptions of an endpoint are kept. */
export interface SubscriptionBooks {
  readonly context: EndpointContext;
  /** Contact header value of ours. */
  readonly contact: string;
  /** By {@link BrowserSubscription.key}; a subscription takes itself out. */
  readonly table: Map<string, BrowserSubscription>;
}

/** The dialog that a browser's SUBSCRIBE has made (RFC 6665 §4.4.1): its SUBSCRIBEs come in, our NOTIFYs go out. */
export class BrowserSubscription implements SubscriptionLeg {
  /** Call-ID and both tags, ours first, as the browser's requests in the dialog have them. */
  readonly key: string;
  private readonly remoteTag: string;
  private target: string;
  private localSequence = 0;
  private remoteSequence: number;
  private closed = false;

  /** @param target - the Contact of the SUBSCRIBE */
  constructor(
    private readonly books: SubscriptionBooks,
    private readonly subscribe: SipRequest,
    private readonly localTag: string,
    target: string,
    private readonly listener: SubscriptionListener,
  ) {
    this.remoteTag = tagOf(subscribe.from) ?? '';
    this.key = subscribe.callId + localTag + this.remoteTag;
    this.target = target;
    this.remoteSequence = subscribe.cseq.number;
    books.table.set(this.key, this);
  }

  /** Takes a request of the browser in the dialog; every one is answered. */
  receive(message: AdaptedRequest): void {
    const { context } = this.books;
    const { original } = message;
    if (original.method === 'ACK') return;
    if (original.cseq.number <= this.remoteSequence) {
      context.refuse(original, failure('dialog.sequence'));
      return;
    }
    this.remoteSequence = original.cseq.number;
    const server = new PlainServer(context.core, message);
    const request = requestOf(context, server, (status, reason, headers) => {
      const own: HeaderList = status < 300 ? [['Contact', this.books.contact]] : [];
      if (status < 300) this.target = contactUri(original.headers) ?? this.target;
      server.respond(status, {
        ...(reason === undefined ? {} : { reason }),
        headers: answerHeaders(own, headers ?? []),
      });
    });
    context.safely(
      () => this.listener.request(request),
      ({ status, reason }) => request.respond(status, reason),
    );
  }

  request(
    method: string,
    content: { readonly contentType: string; readonly body: string } | undefined,
    headers: HeaderList,
  ): Promise<InDialogResponse> {
    if (this.closed) return Promise.reject(failure('dialog.unknown'));
    const { from, to, callId } = this.subscribe;
    const wire = ({ uri, displayName }: typeof from): WireUri => {
      const text = serializeUri(uri);
      return new WireUri(text, nameAddrText(text, displayName));
    };
    this.localSequence += 1;
    const { core } = this.books.context;
    const request = core.makeOutgoingRequestMessage(
      method,
      new WireUri(this.target),
      wire(to),
      wire(from),
      { callId, fromTag: this.localTag, toTag: this.remoteTag, cseq: this.localSequence },
      [`Contact: ${this.books.contact}`, ...headerLines(safeHeaders(headers))],
      ...(content === undefined ? [] : [bodyOf(content.contentType, content.body)]),
    );
    return sendRequest(this.books.context, request).promise;
  }

  close(): void {
    this.closed = true;
    if (this.books.table.get(this.key) === this) this.books.table.delete(this.key);
  }

  /** The endpoint is gone. */
  lose(): void {
    if (this.closed) return;
    this.close();
    this.books.context.safely(() => this.listener.lost());
  }
}

/** The request; when it is a SUBSCRIBE that names where NOTIFYs go to, one that can be accepted. */
export function acceptable(
  request: OutOfDialogRequest,
  server: PlainServer,
  books: SubscriptionBooks,
): OutOfDialogRequest | IncomingSubscription {
  const target = contactUri(server.request.headers);
  if (request.method !== 'SUBSCRIBE' || target === undefined) return request;
  const accept: IncomingSubscription['accept'] = (answer, contact, listener) => {
    if (!server.isOpen) return undefined;
    const { status, reason, headers } = answer;
    const leg = new BrowserSubscription(books, server.request, server.localTag, target, listener);
    const own = [['Contact', `<${oneLine(contact)}>`]] as const;
    server.respond(status, { reason, headers: [...own, ...safeHeaders(headers)] });
    return leg;
  };
  return { ...request, accept };
}
