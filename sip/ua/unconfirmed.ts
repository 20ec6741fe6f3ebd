import { TransactionState, type UserAgentCore } from 'sip.js/lib/core/index.js';
import { OutgoingRequest } from './outgoing-request.js';
import { InviteServer } from './server-request.js';

/**
 * What has been sent and is not over: responses to an INVITE without ACK, and requests without final response. A flow
 * that was dead already when they were written has lost them, and nobody sends them again over a reliable transport
 * (RFC 3261 §17.1.1.2, §17.2.1). Whoever has got them takes them for what they are, retransmissions.
 *
 * Interop: JsSIP forgets its transactions when its socket closes; a call that rang there rings again by this.
 */
export function unconfirmed(core: UserAgentCore): string[] {
  const texts: string[] = [];
  for (const server of core.userAgentServers.values()) {
    if (server instanceof InviteServer && server.unconfirmed !== undefined) texts.push(server.unconfirmed);
  }
  for (const { transaction } of core.userAgentClients.values()) {
    const { state, request } = transaction;
    const isUnheard = state === TransactionState.Calling || state === TransactionState.Trying;
    const isTakenBack = request instanceof OutgoingRequest && request.takenBack;
    const isUnanswered = state === TransactionState.Proceeding && !isTakenBack;
    if (isUnheard || isUnanswered) texts.push(request.toString());
  }
  return texts;
}
