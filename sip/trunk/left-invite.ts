import { failure, SipFailure } from '../failure.js';
import type { OpenInvite } from './dialog-notes.js';
import type { EngineCommands } from './engine-commands.js';
import { textOf } from './engine-failure.js';

const reason = 'Reason: SIP;cause=503;text="Call control was lost"';

/** The engine fills in everything else. */
const cancel = `CANCEL sip:placeholder SIP/2.0\r\n${reason}\r\n\r\n`;
const unavailable = `SIP/2.0 503 Service Unavailable\r\nRetry-After: 5\r\n${reason}\r\n\r\n`;

/**
 * Ends an INVITE whose leg is gone, with the process or the connection that it lived in: ours by CANCEL (RFC 3261 §9.1), the
 * peer's by 503. Resolves with what was done; rejects with `dialog.unknown` when the engine has no such INVITE, because it
 * has had its answer, with `trunk.timeout` when the engine says nothing, and with `trunk.engine_away` when it is gone.
 */
export async function endLeftInvite(invite: OpenInvite, commands: EngineCommands): Promise<string> {
  const { transactionId, sentBy } = invite;
  try {
    await commands.inTransaction(transactionId, sentBy === 'us' ? cancel : unavailable);
  } catch (thrown) {
    if (thrown instanceof SipFailure) throw thrown;
    throw failure('dialog.unknown', { detail: textOf(thrown), cause: thrown });
  }
  return sentBy === 'us' ? 'CANCEL' : '503 Service Unavailable';
}
