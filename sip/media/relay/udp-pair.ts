import dgram from 'node:dgram';
import { failure } from '../../failure.js';
import type { AddressFamily } from '../../sdp/description.js';
import type { PortPair, PortRange } from './port-range.js';

/** Another program may hold a port of our range: so many pairs are tried before we say that none is left. */
const maxAttempts = 20;

/** Sockets bound to a pair of ports that a {@link PortRange} lent. */
export interface UdpPair {
  readonly ports: PortPair;
  readonly rtp: dgram.Socket;
  readonly rtcp: dgram.Socket;
  isClosed: boolean;
}

/**
 * Binds a free pair of ports on `host`. Throws `media.no_ports` when the range has none, `media.failed` when the
 * address cannot be bound at all.
 */
export async function openUdpPair(range: PortRange, host: string, family: AddressFamily): Promise<UdpPair> {
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const ports = range.take();
    if (ports === undefined) break;
    const pair = await bindPair(ports, host, family);
    if (!(pair instanceof Error)) return pair;
    range.giveBack(ports);
    if (pair.code !== 'EADDRINUSE') {
      throw failure('media.failed', {
        detail: `cannot bind ${host}: ${pair.code ?? pair.message}`,
        cause: pair,
      });
    }
  }
  throw failure('media.no_ports');
}

/** Frees both ports at once. Idempotent. */
export function closeUdpPair(pair: UdpPair): void {
  if (pair.isClosed) return;
  pair.isClosed = true;
  pair.rtp.close();
  pair.rtcp.close();
}

async function bindPair(
  ports: PortPair,
  host: string,
  family: AddressFamily,
): Promise<UdpPair | NodeJS.ErrnoException> {
  const rtp = await bind(ports.rtp, host, family);
  if (rtp instanceof Error) return rtp;
  const rtcp = await bind(ports.rtcp, host, family);
  if (!(rtcp instanceof Error)) return { ports, rtp, rtcp, isClosed: false };
  rtp.close();
  return rtcp;
}

function bind(
  port: number,
  host: string,
  family: AddressFamily,
): Promise<dgram.Socket | NodeJS.ErrnoException> {
  const socket = dgram.createSocket({
    type: family === 4 ? 'udp4' : 'udp6',
    // Targets are address literals: skip the resolver, which would cost a turn of the loop for each packet.
    lookup: (hostname, _options, callback) => callback(null, hostname, family),
  });
  return new Promise((resolve) => {
    socket.once('error', (error: NodeJS.ErrnoException) => {
      socket.close();
      resolve(error);
    });
    socket.bind({ port, address: host, exclusive: true }, () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}
