import { TransactionState, type UserAgentCore } from 'sip.js/lib/core/index.js';
import { InviteServer } from './server-request.js';

/**
 * What has been sent and never confirmed: responses to an INVITE without ACK, and requests without any response. A flow
 * that was dead already when they were written has lost them, and nobody sends them again over a reliable transport
 * (RFC 3261 §17.1.1.2, §17.2.1). Whoever has got them takes them for what they are, retransmissions.
 */
export function unconfirmed(core: UserAgentCore): string[] {
  const texts: string[] = [];
  for (const server of core.userAgentServers.values()) {
    if (server instanceof InviteServer && server.unconfirmed !== undefined) texts.push(server.unconfirmed);
  }
  for (const { transaction } of core.userAgentClients.values()) {
    const { state, request } = transaction;
    const unheard = state === TransactionState.Calling || state === TransactionState.Trying;
    if (unheard) texts.push(request.toString());
  }
  return texts;
}
