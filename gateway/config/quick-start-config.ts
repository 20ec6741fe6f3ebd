import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Config, TrunkConfig, UserConfig } from './config.js';
import { Secret } from './secret.js';
import { frozen } from './settle.js';

const loopback = '127.0.0.1';
const sipPort = 5_060;
const echoNumber = '600';
const passwordBytes = 9;

/**
 * What webtrunk runs with when no file is given: everything on 127.0.0.1, users alice and bob with new random passwords,
 * and the number 600, an echo behind a real trunk.
 */
export async function quickStartConfig(): Promise<Config> {
  const [enginePort, echoPort] = await freeUdpPorts();
  return frozen<Config>({
    file: undefined,
    listen: {
      http: { address: loopback, port: 8_080 },
      https: undefined,
      admin: { address: loopback, port: 8_081, token: undefined },
    },
    websocket: {
      maxMessageBytes: 64 * 1_024,
      origins: [],
      keepaliveMs: 25_000,
      resumeGraceMs: 30_000,
      perMessageDeflate: false,
    },
    domains: [
      { name: 'localhost', users: [newUser('alice', 'Alice'), newUser('bob', 'Bob')], htdigest: undefined },
    ],
    sip: {
      engine: 'embedded',
      listen: [
        { transport: 'udp', address: loopback, port: enginePort },
        { transport: 'tcp', address: loopback, port: enginePort },
      ],
      externalAddress: undefined,
      tls: undefined,
      nameServers: undefined,
      strangers: 'silence',
    },
    media: {
      engine: 'relay',
      address: loopback,
      ports: { min: 20_000, max: 20_999 },
      browserPort: undefined,
      processes: 1,
      browserToBrowser: 'direct',
    },
    ice: { servers: [], filterPrivateCandidates: false },
    trunks: [echoTrunk(echoPort)],
    routes: [
      { name: 'echo', match: /^600$/u, fromTrunk: undefined, to: { kind: 'trunks', trunks: ['echo'] } },
      { name: 'users', match: /^(?:alice|bob)$/u, fromTrunk: undefined, to: { kind: 'users' } },
    ],
    limits: {
      connectionsPerIp: 200,
      messagesPerSecond: 50,
      registerFailuresPerMinute: 10,
      callsPerEndpoint: 8,
    },
    drain: { noticeMs: 0, limitMs: 60_000 },
    store: undefined,
    cdr: { file: undefined, webhook: undefined },
    log: { level: 'info', format: 'pretty' },
    echoPhone: { number: echoNumber, address: loopback, port: echoPort },
  });
}

function echoTrunk(port: number): TrunkConfig {
  return {
    name: 'echo',
    type: 'ip',
    hosts: [{ uri: `sip:${loopback}:${port};transport=udp`, priority: 10 }],
    auth: undefined,
    from: undefined,
    tls: undefined,
    inbound: { allow: undefined, numbers: undefined },
    media: { codecs: undefined, ptimeMs: undefined },
  };
}

function newUser(name: string, displayName: string): UserConfig {
  const password = new Secret(randomBytes(passwordBytes).toString('base64url'));
  return { name, password, displayName, callerId: undefined };
}

/** 5060 for the SIP engine when nobody has it, else any free port; and any other for the echo phone. */
async function freeUdpPorts(): Promise<readonly [engine: number, echo: number]> {
  const engine = (await isTcpFree(sipPort)) ? await reserveUdp(sipPort) : undefined;
  const reserved = [engine ?? (await reserveUdp(0)), await reserveUdp(0)];
  const [enginePort, echoPort] = reserved.map((reservation) => reservation?.port);
  for (const reservation of reserved) await reservation?.release();
  if (enginePort === undefined || echoPort === undefined) throw new Error('no UDP port is free on 127.0.0.1');
  return [enginePort, echoPort];
}

interface Reservation {
  readonly port: number;
  release(): Promise<void>;
}

/** Undefined when the port is taken. */
async function reserveUdp(port: number): Promise<Reservation | undefined> {
  const socket = createSocket('udp4');
  try {
    const listening = once(socket, 'listening');
    socket.bind(port, loopback);
    await listening;
  } catch {
    socket.close();
    return undefined;
  }
  return {
    port: socket.address().port,
    async release() {
      const closed = once(socket, 'close');
      socket.close();
      await closed;
    },
  };
}

async function isTcpFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    const listening = once(server, 'listening');
    server.listen(port, loopback);
    await listening;
  } catch {
    return false;
  }
  const closed = once(server, 'close');
  server.close();
  await closed;
  return true;
}
