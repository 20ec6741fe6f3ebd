import {
  NonInviteClientTransaction,
  UserAgentClient,
  type IncomingResponseMessage,
  type OutgoingRequestMessage,
  type UserAgentCore,
} from 'sip.js/lib/core/index.js';
import { failure, type FailureCode, type SipFailure } from '../failure.js';
import type { HeaderList, HeaderView, InDialogResponse } from '../leg.js';
import { deferred, type Deferred } from './deferred.js';
import type { EndpointContext } from './endpoint-context.js';
import { AdaptedResponse } from './message-adapter.js';

/** A request of ours under way. */
export type PendingResponse = Deferred<InDialogResponse>;

/** Sends any request but INVITE; the promise rejects with `dialog.unknown` (408) when no final response comes. */
export function sendRequest(context: EndpointContext, request: OutgoingRequestMessage): PendingResponse {
  const outcome = deferred<InDialogResponse>();
  const settle = (message: IncomingResponseMessage): void => {
    if (message instanceof AdaptedResponse) outcome.resolve(responseOf(message));
    else outcome.reject(refusalOf(message));
  };
  const delegate = {
    onAccept: ({ message }: { message: IncomingResponseMessage }) => settle(message),
    onRedirect: ({ message }: { message: IncomingResponseMessage }) => settle(message),
    onReject: ({ message }: { message: IncomingResponseMessage }) => settle(message),
  };
  new UserAgentClient(NonInviteClientTransaction, context.core, request, delegate);
  return outcome;
}

/** Frees the transaction of a request at once; a response that still comes is dropped. */
export function forget(core: UserAgentCore, client: UserAgentClient): void {
  core.userAgentClients.delete(client.transaction.id + client.message.method);
  client.dispose();
}

/** RFC 3261 §12.2.1.2: after these the dialog is of no more use. */
export function endsDialog(status: number): boolean {
  return status === 481 || status === 408;
}

const codeOfStatus: ReadonlyMap<number, FailureCode> = new Map<number, FailureCode>([
  [408, 'dialog.unknown'],
  [481, 'dialog.unknown'],
  [491, 'dialog.request_pending'],
]);

/** The failure for a final response to a request in a dialog; without a message of the peer's, its timeout. */
export function refusalOf(message: IncomingResponseMessage | undefined): SipFailure {
  if (!(message instanceof AdaptedResponse)) {
    return failure('dialog.unknown', { status: 408, reason: 'Request Timeout', party: 'callee' });
  }
  const { status, reason, headers } = message.original;
  return failure(codeOfStatus.get(status) ?? 'upstream.refused', {
    status,
    reason,
    party: 'callee',
    headers: passedOn(headers),
  });
}

/** The header fields of a refusal that help whoever sent the request. */
export function passedOn(headers: HeaderView): HeaderList {
  return ['Warning', 'Retry-After'].flatMap((name) =>
    headers.getAll(name).map((value) => [name, value] as const),
  );
}

function responseOf({ original }: AdaptedResponse): InDialogResponse {
  return {
    status: original.status,
    reason: original.reason,
    headers: original.headers,
    contentType: original.headers.get('content-type'),
    body: original.body.toString('utf8'),
  };
}
