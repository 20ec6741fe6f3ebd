import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { isIPv6 } from 'node:net';
import type { Config } from '../config/config.js';
import type { Path } from '../config/problem.js';
import type { PreflightFinding } from './finding.js';

interface Place {
  readonly path: Path;
  readonly transport: 'udp' | 'tcp';
  readonly address: string;
  readonly port: number;
}

/** Tries to listen where webtrunk will; what another program holds, and a webtrunk that runs, is a problem. */
export async function checkPorts(config: Config): Promise<readonly PreflightFinding[]> {
  const found = await Promise.all(placesOf(config).map((place) => checkPlace(place)));
  return found.flat();
}

function placesOf({ listen, sip }: Config): readonly Place[] {
  const places: Place[] = [];
  for (const name of ['http', 'https', 'admin'] as const) {
    const at = listen[name];
    if (at !== undefined) places.push({ path: ['listen', name], transport: 'tcp', ...at });
  }
  if (sip.engine === 'drachtio') return places;
  for (const [index, { transport, address, port }] of sip.listen.entries()) {
    const path = ['sip', 'embedded', 'listen', index];
    places.push({ path, transport: transport === 'udp' ? 'udp' : 'tcp', address, port });
  }
  return places;
}

async function checkPlace({ path, transport, address, port }: Place): Promise<readonly PreflightFinding[]> {
  const code = transport === 'udp' ? await tryUdp(address, port) : await tryTcp(address, port);
  if (code === undefined) return [];
  const place = `${transport} ${address.includes(':') ? `[${address}]` : address}:${port}`;
  return [{ level: 'problem', path, ...explain(code, place) }];
}

function explain(code: string, place: string): { readonly problem: string; readonly fix: string } {
  if (code === 'EADDRINUSE') {
    return { problem: `${place} is in use`, fix: 'stop the other program, or write another port' };
  }
  if (code === 'EADDRNOTAVAIL') {
    return { problem: `${place} is no address of this machine`, fix: 'write 0.0.0.0, or an address of it' };
  }
  if (code === 'EACCES') {
    return { problem: `${place} may not be listened on`, fix: 'use a port above 1023, or give the right to' };
  }
  return { problem: `${place} cannot be listened on: ${code}`, fix: 'write another address or port' };
}

/** The code of the error; undefined when it can be listened on. */
async function tryTcp(host: string, port: number): Promise<string | undefined> {
  const server = createServer();
  try {
    server.listen({ host, port });
    await once(server, 'listening');
    return undefined;
  } catch (error) {
    return codeOf(error);
  } finally {
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}

/** The same for UDP. */
export async function tryUdp(address: string, port: number): Promise<string | undefined> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  try {
    socket.bind(port, address);
    await once(socket, 'listening');
    return undefined;
  } catch (error) {
    return codeOf(error);
  } finally {
    await new Promise<void>((resolve) => socket.close(() => resolve()));
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
