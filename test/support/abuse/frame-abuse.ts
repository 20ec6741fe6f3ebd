import { newTag } from '../../../sip/message/index.js';
import { domain } from '../../bench/target.js';
import type { AbuseScenario } from './abuse-scenario.js';
import { freshRequest } from './sip-attacks.js';

const tooLong = 'x'.repeat(70_000);
const bomb = Buffer.alloc(8 * 1_024 * 1_024);
const pingsPerSecond = 400;
const pingTickMs = 50;
const brokenPerSecond = 40;
const manyHeaders = 2_000;
const nobody = `sip:nobody@${domain}`;

const oversized: AbuseScenario = {
  name: 'messages of 70 KB, and messages in fragments without end',
  limit: 'websocket.max_message; 64 fragments',
  answers: ['closed 1009', 'closed 1008'],
  counters: ['flows_closed_total{cause="size"}', 'flows_closed_total{cause="protocol"}'],
  logged: ['flow.closed'],
  async attack(field) {
    await Promise.all([
      field.persist(field.address(1), field.account(), async (client) => {
        client.send(tooLong);
        await Promise.race([client.closed, field.end()]);
      }),
      field.persist(field.address(2), field.account(1), async (client) => {
        const { socket } = client;
        for (let sent = 0; !field.isOver && socket.readyState === socket.OPEN; sent += 1) {
          socket.send('x', { fin: false });
          if (sent % 20 === 0) await field.rest(pingTickMs);
        }
      }),
    ]);
  },
};

const compressionBomb: AbuseScenario = {
  name: 'messages of 8 MB that permessage-deflate makes 8 KB',
  limit: 'websocket.max_message, counted as it is unpacked',
  answers: ['closed 1009'],
  counters: ['flows_closed_total{cause="size"}'],
  logged: ['flow.closed'],
  attack: (field) =>
    field.persist(
      field.address(),
      field.account(),
      async (client) => {
        client.send(bomb);
        await Promise.race([client.closed, field.end()]);
      },
      { perMessageDeflate: true },
    ),
};

const pingFlood: AbuseScenario = {
  name: `${pingsPerSecond} WebSocket pings and SIP keep-alives a second`,
  limit: 'limits.messages_per_second',
  answers: ['closed 4429'],
  counters: ['flows_closed_total{cause="rate"}'],
  logged: ['flow.closed'],
  attack: (field) =>
    field.persist(field.address(), field.account(), async ({ socket }) => {
      while (!field.isOver && socket.readyState === socket.OPEN) {
        for (let sent = 0; sent < (pingsPerSecond * pingTickMs) / 2_000; sent += 1) {
          socket.ping();
          socket.send('\r\n\r\n');
        }
        await field.rest(pingTickMs);
      }
    }),
};

const brokenHeaders: readonly (readonly string[])[] = [
  Array.from({ length: manyHeaders }, (_, at) => `X-${at}: ${at}`),
  [`X-Long: ${'x'.repeat(60_000)}`],
  ['Max-Forwards: many'],
  ['Contact: <<>>"'],
];

const malformed: AbuseScenario = {
  name: `${brokenPerSecond} unreadable messages a second: noise, ${manyHeaders} headers, a header of 60 KB`,
  limit: 'parser limits; 20 malformed messages',
  answers: ['400', '513', 'closed 1003', 'closed 4400'],
  counters: [
    'messages_dropped_total{cause="malformed"}',
    'messages_refused_total{code="message.malformed"}',
    'messages_refused_total{code="message.too_large"}',
    'flows_closed_total{cause="not_sip"}',
    'flows_closed_total{cause="malformed"}',
  ],
  logged: ['message.dropped', 'message.refused', 'flow.closed'],
  async attack(field) {
    await Promise.all([
      field.persist(field.address(1), field.account(), (client) =>
        field.pour(client, brokenPerSecond, () => `\0\x01 ${newTag()} SIP/9\r\n\r\n`),
      ),
      field.persist(field.address(2), field.account(), async (client) => {
        await field.ask(client, freshRequest(client, 'OPTIONS', nobody));
        let sent = 0;
        await field.pour(client, brokenPerSecond, () => {
          sent += 1;
          return freshRequest(client, 'OPTIONS', nobody, brokenHeaders[sent % brokenHeaders.length]);
        });
      }),
    ]);
  },
};

export const frameAbuse: readonly AbuseScenario[] = [oversized, compressionBomb, pingFlood, malformed];
