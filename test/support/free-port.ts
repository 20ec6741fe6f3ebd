import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the range that the system takes ports from for outgoing connections: those are in use without a listener. */
const range = { from: 24_000, to: 32_000 };
const attempts = 50;

/** A port that was free for UDP and TCP on 127.0.0.1 a moment ago, for programs that cannot be told to take any. */
export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

/** As many, one after the other: some programs take the next one too. */
export async function freePorts(count: number): Promise<number[]> {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const first = randomInt(range.from, range.to - count);
    const ports = Array.from({ length: count }, (_, index) => first + index);
    const free = await Promise.all(ports.flatMap((port) => [isFreeForUdp(port), isFreeForTcp(port)]));
    if (free.every(Boolean)) return ports;
  }
  throw new Error(`no ${count} free ports from ${range.from} to ${range.to}`);
}

async function isFreeForUdp(port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  try {
    socket.bind(port, '127.0.0.1');
    await once(socket, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    await new Promise<void>((resolve) => socket.close(() => resolve()));
  }
}

async function isFreeForTcp(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    await new Promise<void>((resolve) => server.close(() => resolve()));
    return true;
  } catch {
    return false;
  }
}
