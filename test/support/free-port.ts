import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

/** A UDP port that was free on 127.0.0.1 a moment ago, for programs that cannot be told to take any. */
export async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port }: AddressInfo = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}
