import type { IncomingMessage } from 'node:http';

/** `address:port` that the request came from, as the log has it. */
export function remoteOf({ socket: { remoteAddress = '', remotePort = 0 } }: IncomingMessage): string {
  const address = remoteAddress.replace(/^::ffff:/, '');
  return `${address.includes(':') ? `[${address}]` : address}:${remotePort}`;
}
