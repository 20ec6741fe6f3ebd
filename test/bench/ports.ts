import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the ports that the kernel gives to outgoing connections, of which a run makes thousands. */
const [lowest, highest] = [10_000, 19_999];
const attempts = 100;

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}

/** A TCP port on 127.0.0.1 that was free a moment ago. */
export async function serverPort(): Promise<number> {
  for (let i = 0; i < attempts; i++) {
    const port = randomInt(lowest, highest + 1);
    if (await isFree(port)) return port;
  }
  throw new Error(`no TCP port is free between ${lowest} and ${highest}`);
}
