import { publishMessage } from '../../trace.js';
import type { Channel } from './channel.js';

/** Publishes one message to whoever traces; call it only when `messageTrace` has subscribers. */
export function traceMessage(
  direction: 'in' | 'out',
  transport: Channel['transport'],
  remote: Channel['remote'],
  bytes: Buffer,
): void {
  const peer = `${remote.address}:${remote.port}`;
  publishMessage({ direction, transport, remote: peer, message: bytes.toString('utf8') });
}
