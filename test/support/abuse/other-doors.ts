import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { newBranch, newCallId, newTag } from '../../../sip/message/index.js';
import { rtpPacket } from '../rtp-phone.js';
import { bindingRequest } from '../stun.js';
import type { AbuseField } from './abuse-field.js';
import type { AbuseScenario } from './abuse-scenario.js';

const datagramsPerSecond = 2_000;
const tickMs = 20;
const guessesPerSecond = 100;
const noiseBytes = 400;

const trunkPortFlood: AbuseScenario = {
  name: `${datagramsPerSecond} OPTIONS, REGISTER, INVITE (friendly-scanner) and noise a second to the port of the trunks`,
  limit: 'sip.strangers: silence',
  answers: [],
  counters: [
    'strangers_total{method="OPTIONS",transport="udp"}',
    'strangers_total{method="REGISTER",transport="udp"}',
    'strangers_total{method="INVITE",transport="udp"}',
    'engine_unserved_total{cause="malformed"}',
  ],
  logged: ['stranger.turned_away'],
  async attack(field) {
    let heard = 0;
    const { sipPort } = field.doors;
    await pourDatagrams(
      field,
      () => (heard += 1),
      (socket, sent) => {
        const method = ['OPTIONS', 'REGISTER', 'INVITE'][sent % 4];
        const datagram =
          method === undefined ? randomBytes(noiseBytes) : scannersRequest(method, field.address());
        socket.send(datagram, sipPort, '127.0.0.1');
      },
    );
    if (heard > 0) throw new Error(`a stranger got ${heard} answers`);
    field.tally.note('no answer');
  },
};

const mediaFlood: AbuseScenario = {
  name: `${datagramsPerSecond} STUN, RTP and noise packets a second to the media ports`,
  limit: 'ICE with checked credentials, signalled addresses',
  answers: [],
  counters: ['media_strays_total'],
  logged: ['media.strays'],
  async attack(field) {
    let heard = 0;
    const { from, to } = field.doors.mediaPorts;
    const forged = bindingRequest({ username: 'aaaa:bbbb', password: 'abcdefghijklmnopqrstuv' });
    const packets = [forged, rtpPacket(0, 1, 'x'.repeat(160)), randomBytes(noiseBytes)];
    await pourDatagrams(
      field,
      () => (heard += 1),
      (socket, sent) => {
        const packet = packets[sent % packets.length] ?? forged;
        socket.send(packet, from + (sent % (to - from + 1)), '127.0.0.1');
      },
    );
    if (heard > 0) throw new Error(`a stranger got ${heard} answers`);
    field.tally.note('no answer');
  },
};

const httpGuesses: AbuseScenario = {
  name: `a foreign page's WebSockets; ${guessesPerSecond} guesses a second at the ticket for TURN and the token of operators`,
  limit: 'websocket.origins; signed tickets; ten wrong admin tokens a minute',
  answers: ['HTTP 403', 'HTTP 401', 'HTTP 429'],
  counters: [
    'upgrades_refused_total{gate="origin"}',
    'http_tokens_refused_total{token="turn_ticket"}',
    'http_tokens_refused_total{token="admin"}',
    'http_tokens_refused_total{token="admin_locked"}',
  ],
  logged: ['flow.refused', 'token.refused'],
  async attack(field) {
    const origin = 'https://evil.example';
    const { httpPort, adminPort } = field.doors;
    await Promise.all([
      field.persist(field.address(), field.account(), async () => field.rest(tickMs), { origin }),
      guessTokens(field, httpPort, '/api/ice-servers'),
      guessTokens(field, adminPort, '/api/v1/inspect'),
    ]);
    if (field.tally.countOf('HTTP 200') > 0) throw new Error('a guess was right');
  },
};

/** From one address, spread over each second. */
async function pourDatagrams(
  field: AbuseField,
  hear: () => void,
  send: (socket: Socket, sent: number) => void,
): Promise<void> {
  const socket = createSocket('udp4');
  socket.on('message', hear);
  socket.bind(0, field.address());
  await once(socket, 'listening');
  const began = performance.now();
  for (let sent = 0; !field.isOver; await field.rest(tickMs)) {
    const due = ((performance.now() - began + tickMs) * datagramsPerSecond) / 1_000;
    for (; sent < due; sent += 1) send(socket, sent);
  }
  socket.close();
  await once(socket, 'close');
}

async function guessTokens(field: AbuseField, port: number, path: string): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const guess = (): Promise<void> =>
    new Promise((resolve) => {
      const headers = { Authorization: `Bearer ${randomBytes(24).toString('base64url')}` };
      const options = { host: '127.0.0.1', port, path, localAddress: field.address(), agent, headers };
      const asked = request(options, (response) => {
        field.tally.note(`HTTP ${response.statusCode ?? 0}`);
        response.resume().on('end', resolve);
      });
      asked.on('error', () => resolve());
      asked.end();
    });
  while (!field.isOver) await Promise.all([guess(), field.rest(2_000 / guessesPerSecond)]);
  agent.destroy();
}

function scannersRequest(method: string, address: string): string {
  return [
    `${method} sip:100@127.0.0.1 SIP/2.0`,
    `Via: SIP/2.0/UDP ${address}:5060;branch=${newBranch()};rport`,
    'Max-Forwards: 70',
    `From: "sipvicious" <sip:100@1.1.1.1>;tag=${newTag()}`,
    'To: "sipvicious" <sip:100@1.1.1.1>',
    `Call-ID: ${newCallId()}`,
    `CSeq: 1 ${method}`,
    `Contact: <sip:100@${address}:5060>`,
    'User-Agent: friendly-scanner',
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}

export const otherDoors: readonly AbuseScenario[] = [trunkPortFlood, mediaFlood, httpGuesses];
