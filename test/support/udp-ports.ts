import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** Whether nobody is bound to that UDP port of 127.0.0.1. */
export async function isUdpPortFree(port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  try {
    socket.bind({ port, address: '127.0.0.1', exclusive: true });
    await once(socket, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    await new Promise<void>((resolve) => socket.close(() => resolve()));
  }
}

/** Resolves when it is free; the test's own timeout is the limit. */
export async function udpPortFreed(port: number): Promise<void> {
  while (!(await isUdpPortFree(port))) await new Promise((resolve) => setImmediate(resolve));
}
