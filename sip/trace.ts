import diagnostics_channel from 'node:diagnostics_channel';
import { withoutSecrets } from './without-secrets.js';

/** Diagnostics channels of the hot paths: free when nobody listens (DESIGN §9 rule 8). */

export interface MessageTrace {
  readonly direction: 'in' | 'out';
  /** `f_…` of the WebSocket flow, or undefined on the trunk side. */
  readonly flowId?: string;
  /** `udp`, `tcp`, `tls`, `ws`, `wss`. */
  readonly transport: string;
  /** Remote `address:port`. */
  readonly remote: string;
  /** Without secrets. */
  readonly message: string;
}

export interface TransactionTrace {
  readonly branch: string;
  readonly method: string;
  readonly side: 'client' | 'server';
  readonly from: string;
  readonly to: string;
  readonly event: string;
}

export interface MediaTrace {
  readonly mediaId: string;
  readonly endId: string;
  readonly state: string;
}

export const messageTrace = diagnostics_channel.channel('webtrunk:message');
export const transactionTrace = diagnostics_channel.channel('webtrunk:transaction');
export const mediaTrace = diagnostics_channel.channel('webtrunk:media');

/** Tells whoever traces of one message; call it only when `messageTrace` has subscribers. */
export function publishMessage(trace: MessageTrace): void {
  messageTrace.publish({ ...trace, message: withoutSecrets(trace.message) });
}
