import { readFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';

const patienceMs = 25_000;
const pollMs = 15;

/** Waits until some program listens there on 127.0.0.1. Few say when they do; the kernel's table of sockets does. */
export async function untilListening(transport: 'udp' | 'tcp', port: number): Promise<void> {
  const local = ` 0100007F:${port.toString(16).toUpperCase().padStart(4, '0')} `;
  // Of streams only those that wait for connections (proc(5), tcp_states.h), not what is left of closed ones.
  const sought = transport === 'udp' ? local : `${local}00000000:0000 0A `;
  for (const until = Date.now() + patienceMs; Date.now() < until; await setTimeout(pollMs)) {
    if ((await readFile(`/proc/net/${transport}`, 'utf8')).includes(sought)) return;
  }
  throw new Error(`nobody listens on ${transport} ${port}`);
}
