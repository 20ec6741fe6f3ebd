import { createConnection, type Socket } from 'node:net';
import type { AbuseField } from './abuse-field.js';
import type { AbuseScenario } from './abuse-scenario.js';
import { freshRequest } from './sip-attacks.js';

const [viasOfRequest, viaBytes] = [50, 1_000];
const answerBytes = viasOfRequest * viaBytes;
const questionsAtOnce = 190;
const questionsPerSecond = 40;
const dribbles = 100;
const dribbleEveryMs = 250;
const halfHandshakes = 220;
const silentSockets = 60;
const connectEveryMs = 5;

const slowReader: AbuseScenario = {
  name: `a client reads nothing of the ${answerBytes / 1_000} KB answers that it asks for`,
  limit: '1 MiB that waits for a client',
  answers: ['cut'],
  counters: ['flows_closed_total{cause="slow_reader"}'],
  logged: ['flow.closed'],
  attack: (field) =>
    field.persist(field.address(), field.account(), async (client) => {
      // An answer has every Via of its request (RFC 3261 §8.2.6.2).
      const vias = Array.from(
        { length: viasOfRequest },
        () => `Via: SIP/2.0/WS a.invalid;x=${'x'.repeat(viaBytes)}`,
      );
      const question = (): string => freshRequest(client, 'OPTIONS', client.registrarUri, vias);
      client.socket.pause();
      for (let sent = 0; sent < questionsAtOnce; sent += 1) client.send(question());
      await field.pour(client, questionsPerSecond, question);
      client.socket.resume();
    }),
};

const slowUpgrade: AbuseScenario = {
  name: `${dribbles} connections send the head of their request a byte at a time`,
  limit: 'limits.request_within',
  answers: ['cut'],
  counters: ['connections_cut_total{cause="silent"}'],
  logged: ['connection.cut'],
  attack: (field) =>
    keepConnecting(field, field.doors.httpPort, dribbles, (socket) => {
      socket.write('GET /ws HTTP/1.1\r\nHost: webtrunk\r\nX-Slow: ');
      const timer = setInterval(() => socket.write('x'), dribbleEveryMs);
      socket.on('close', () => clearInterval(timer));
    }),
};

/** Record header and the beginning of a ClientHello that says that 508 bytes more follow (RFC 8446 §4). */
const halfHello = Buffer.from('160301020001 0001fc0303'.replace(' ', ''), 'hex');

const halfTls: AbuseScenario = {
  name: `${halfHandshakes} connections begin a TLS handshake and say no more`,
  limit: 'limits.request_within, limits.connections_per_ip',
  answers: ['cut'],
  counters: ['connections_cut_total{cause="silent"}', 'connections_cut_total{cause="too_many_silent"}'],
  logged: ['connection.cut'],
  attack: (field) =>
    keepConnecting(field, field.doors.httpsPort, halfHandshakes, (socket) => socket.write(halfHello)),
};

const silentFlows: AbuseScenario = {
  name: `${silentSockets} WebSockets that never sign in`,
  limit: 'limits.unauthenticated_per_ip, limits.authenticate_within',
  answers: ['HTTP 429', 'closed 4401'],
  counters: [
    'upgrades_refused_total{gate="address_unauthenticated"}',
    'flows_closed_total{cause="unauthenticated"}',
  ],
  logged: ['flow.refused', 'flow.closed'],
  async attack(field) {
    await Promise.all(
      Array.from({ length: silentSockets }, () =>
        field.persist(field.address(), field.account(), async (client) => {
          await Promise.race([client.closed, field.end()]);
        }),
      ),
    );
  },
};

const connectFlood: AbuseScenario = {
  name: `${1_000 / connectEveryMs} WebSockets a second, each with another X-Forwarded-For`,
  limit: 'limits.connects_per_minute; listen.trusted_proxies',
  answers: ['HTTP 429'],
  counters: ['upgrades_refused_total{gate="address_rate"}'],
  logged: ['flow.refused'],
  async attack(field) {
    const going = new Set<Promise<void>>();
    for (let count = 0; !field.isOver; count += 1) {
      const headers = {
        'X-Forwarded-For': `198.51.100.${count % 250}`,
        Forwarded: `for=198.51.100.${count % 250}`,
      };
      const one = field
        .connect(field.address(), field.account(), { headers })
        .then((client) => client?.socket.close())
        .finally(() => going.delete(one));
      going.add(one);
      await field.rest(connectEveryMs);
    }
    await Promise.all(going);
  },
};

/** Keeps so many connections to a port; each that is closed comes again. */
async function keepConnecting(
  field: AbuseField,
  port: number,
  count: number,
  begin: (socket: Socket) => void,
): Promise<void> {
  const one = async (): Promise<void> => {
    while (!field.isOver) {
      const socket = createConnection({ host: '127.0.0.1', port, localAddress: field.address() });
      socket.on('error', () => undefined);
      socket.once('connect', () => begin(socket));
      const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
      await Promise.race([closed, field.end()]);
      if (!field.isOver) field.tally.note('cut');
      socket.destroy();
      await field.rest(connectAgainMs);
    }
  };
  await Promise.all(Array.from({ length: count }, one));
}

const connectAgainMs = 500;

export const socketAbuse: readonly AbuseScenario[] = [
  slowReader,
  slowUpgrade,
  halfTls,
  silentFlows,
  connectFlood,
];
