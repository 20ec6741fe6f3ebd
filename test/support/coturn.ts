import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createSocket } from 'node:dgram';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.js';

/** A coturn on loopback that knows no user, only a secret. */
export interface Coturn {
  readonly url: string;
  readonly port: number;
  /** What it has printed. */
  readonly output: () => string;
  close(): Promise<void>;
}

export interface CoturnOptions {
  /** Where it listens and relays from, 127.0.0.1 when not given. */
  readonly address?: string;
  /** A free one when not given. */
  readonly port?: number;
}

/** Starts `turnserver`; it relays between loopback addresses only. */
export async function startCoturn(
  program: string,
  secret: string,
  options: CoturnOptions = {},
): Promise<Coturn> {
  const { address = '127.0.0.1', port = await freePort() } = options;
  const folder = mkdtempSync(join(tmpdir(), 'webtrunk-coturn-'));
  const child = spawn(
    program,
    [
      '-n',
      `--listening-ip=${address}`,
      `--relay-ip=${address}`,
      `--listening-port=${port}`,
      '--min-port=49160',
      '--max-port=49200',
      '--allow-loopback-peers',
      '--use-auth-secret',
      `--static-auth-secret=${secret}`,
      '--realm=localhost',
      '--no-tls',
      '--no-dtls',
      '--no-cli',
      '--fingerprint',
      '--log-file=stdout',
      '--verbose',
      `--pidfile=${join(folder, 'pid')}`,
      `--userdb=${join(folder, 'db')}`,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], cwd: folder },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  }
  const exited = once(child, 'exit');
  await answered(port, address);
  return {
    url: `turn:${address}:${port}?transport=udp`,
    port,
    output: () => output,
    async close() {
      child.kill('SIGKILL');
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Asks with STUN Binding requests until one is answered. */
async function answered(port: number, address: string): Promise<void> {
  const socket = createSocket('udp4');
  const binding = Buffer.from('000100002112a442000102030405060708090a0b', 'hex');
  const ask = setInterval(() => socket.send(binding, port, address), 50);
  try {
    await once(socket, 'message', { signal: AbortSignal.timeout(10_000) });
  } finally {
    clearInterval(ask);
    socket.close();
  }
}
