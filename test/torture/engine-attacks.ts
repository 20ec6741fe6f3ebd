import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { setTimeout as delay } from 'node:timers/promises';
import { tagOf, type SipRequest } from '../../sip/message/index.js';
import { ControlConnection } from '../support/control-connection.js';
import { requestText } from '../support/engine-lab.js';
import { sdp, UdpPeer, type Seen } from '../support/sip-peer.js';
import { controlSeeds, dialogSeeds, requestSeeds, type SeedDialog } from './engine-seeds.js';
import { subjectSecret, type EngineSubject, type SubjectState } from './engine-subject-process.js';
import type { Random } from './mutate.js';
import { mutatedLocally } from './mutated-locally.js';
import { tortureMessages } from './rfc4475-table.js';
import { rfc5118 } from './rfc5118-table.js';

/** What an attack has at hand. */
export interface Battlefield {
  readonly subject: EngineSubject;
  readonly ports: Pick<SubjectState, 'udpPort' | 'tcpPort' | 'tlsPort' | 'controlPort'>;
  readonly random: Random;
  /** A number that was not given before. */
  readonly next: () => number;
  /** A call that is up, made by somebody else, by the id that applications know. */
  readonly dialogId: string;
}

/** Sends so many mutations; returns how many went as datagrams. */
export type Attack = (field: Battlefield, count: number) => Promise<number>;

/** Much longer than a loopback round trip takes on a busy machine. */
const answerWithinMs = 10_000;
const messagesPerStream = 5;
/** So few that most are no repetitions to the engine. */
const mutationsPerSeed = 5;
const framesPerConnection = 10;
const streamsAtOnce = 4;
const tortureSeeds = [...tortureMessages(), ...rfc5118].map(({ bytes }) => bytes);

const seedParts = ({ ports, next }: Battlefield, peer: UdpPeer): Parameters<typeof requestSeeds>[0] => ({
  peer,
  port: ports.udpPort,
  next,
});

async function withPeer<T>({ ports }: Battlefield, act: (peer: UdpPeer) => Promise<T>): Promise<T> {
  const peer = await UdpPeer.open(ports.udpPort);
  try {
    return await act(peer);
  } finally {
    await peer.close();
  }
}

/** Establishes a call as a well-behaved caller would. */
export async function placeCall(
  peer: UdpPeer,
  field: Pick<Battlefield, 'ports' | 'next'>,
  user = 'steady',
): Promise<SeedDialog> {
  const call = { port: field.ports.udpPort, callId: `call-${field.next()}`, fromTag: 'f1' };
  const uri = `sip:${user}@127.0.0.1:${call.port}`;
  peer.send(requestText(peer, { ...call, uri, method: 'INVITE', cseq: 1, body: sdp(6000) }));
  const ok = await peer.next(
    (message) => message.kind === 'response' && message.status === 200 && message.callId === call.callId,
    answerWithinMs,
  );
  const toTag = tagOf(ok.to) ?? '';
  peer.send(requestText(peer, { ...call, uri, method: 'ACK', cseq: 1, toTag }));
  return { callId: call.callId, fromTag: call.fromTag, toTag };
}

/** Requests outside dialogs. */
async function strangers(field: Battlefield, count: number): Promise<number> {
  return withPeer(field, async (peer) => {
    for (let sent = 0; sent < count;) {
      const seeds = requestSeeds(seedParts(field, peer));
      for (let i = 0; i < mutationsPerSeed && sent < count; i++, sent++)
        peer.send(mutatedLocally(seeds, field.random));
    }
    return Promise.resolve(count);
  });
}

/** The messages of RFC 4475 and RFC 5118. */
async function tortures(field: Battlefield, count: number): Promise<number> {
  return withPeer(field, async (peer) => {
    for (let sent = 0; sent < count; sent++) peer.send(mutatedLocally(tortureSeeds, field.random));
    return Promise.resolve(count);
  });
}

/** Requests inside a call that is up. */
async function insiders(field: Battlefield, count: number): Promise<number> {
  return withPeer(field, async (peer) => {
    const dialog = await placeCall(peer, field);
    for (let sent = 0; sent < count;) {
      const seeds = dialogSeeds(seedParts(field, peer), dialog);
      for (let i = 0; i < mutationsPerSeed && sent < count; i++, sent++)
        peer.send(mutatedLocally(seeds, field.random));
    }
    return count;
  });
}

/** Responses to requests of the engine, of which the last may be a proper one. */
async function answers(field: Battlefield, count: number): Promise<number> {
  return withPeer(field, async (peer) => {
    let sent = 0;
    const torment = (request: SipRequest, most: number): void => {
      const seeds = responseSeeds(request, peer.port);
      for (let i = 0; i < most && sent < count; i++, sent++) peer.send(mutatedLocally(seeds, field.random));
      if (field.random(2) === 0) peer.respond(request, 200, 'OK', { body: sdp(9000) });
    };
    peer.onMessage = (message: Seen) => {
      if (message.kind === 'request' && message.method !== 'ACK')
        torment(message, message.method === 'INVITE' ? 20 : 3);
    };
    while (sent < count) {
      const before = sent;
      await field.subject.ask({ callPort: peer.port });
      const until = Date.now() + answerWithinMs;
      while (sent === before && Date.now() < until) await delay(1);
      if (sent === before) throw new Error('the engine sent no INVITE');
    }
    await field.subject.ask({ hangUp: true });
    return sent;
  });
}

function responseSeeds(request: SipRequest, port: number): Buffer[] {
  const lines = (status: string, tag: string, ...headers: string[]): Buffer =>
    Buffer.from(
      [
        `SIP/2.0 ${status}`,
        ...request.headers.getAll('via').map((via) => `Via: ${via}`),
        `From: ${request.headers.get('from') ?? ''}`,
        `To: ${request.headers.get('to') ?? ''}${tag === '' ? '' : `;tag=${tag}`}`,
        `Call-ID: ${request.callId}`,
        `CSeq: ${request.cseq.number} ${request.cseq.method}`,
        ...headers,
        '',
        '',
      ].join('\r\n'),
    );
  const contact = `Contact: <sip:peer@127.0.0.1:${port}>`;
  const body = sdp(9000);
  const answer = ['Content-Type: application/sdp', `Content-Length: ${body.length}\r\n\r\n${body}`];
  const tag = request.headers.get('to')?.includes('tag=') === true ? '' : 'p1';
  return [
    lines('100 Trying', ''),
    lines('180 Ringing', tag, contact, 'Record-Route: <sip:127.0.0.1:9;lr>'),
    lines('183 Session Progress', tag, contact, 'Require: 100rel', 'RSeq: 1', ...answer),
    lines('200 OK', tag, contact, 'Session-Expires: 1800;refresher=uac', ...answer),
    lines('200 OK', `${tag}2`, contact, ...answer),
    lines('302 Moved Temporarily', tag, contact),
    lines('401 Unauthorized', tag, 'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"'),
    lines('422 Session Interval Too Small', tag, 'Min-SE: 1800'),
    lines('486 Busy Here', tag),
    lines('503 Service Unavailable', tag, 'Retry-After: 1'),
  ];
}

/** Streams of messages over several connections, TCP and TLS, in pieces, cut anywhere. */
async function streams(field: Battlefield, count: number): Promise<number> {
  for (let sent = 0; sent < count;) {
    const all: Promise<void>[] = [];
    for (let i = 0; i < streamsAtOnce && sent < count; i++) {
      const messages = Math.min(messagesPerStream, count - sent);
      sent += messages;
      all.push(stream(field, messages));
    }
    await Promise.all(all);
  }
  return 0;
}

async function stream(field: Battlefield, messages: number): Promise<void> {
  const { random, ports, next } = field;
  const { tcpPort, tlsPort } = ports;
  const isSecure = tlsPort !== undefined && random(2) === 0;
  const socket = isSecure ? await openedTls(tlsPort) : await opened(tcpPort);
  const transport = isSecure ? ('TLS' as const) : ('TCP' as const);
  const peer = { port: socket.localPort ?? 0, transport };
  const seeds = requestSeeds({ peer, port: isSecure ? tlsPort : tcpPort, next });
  const own = random(4) === 0 ? tortureSeeds : seeds;
  const bytes = Buffer.concat(Array.from({ length: messages }, () => mutatedLocally(own, random)));
  const ended = new Promise((resolve) => socket.once('close', resolve));
  await writeInPieces(socket, bytes, random);
  if (random(4) === 0) socket.destroy();
  else socket.end();
  await within(ended, 'the engine does not close a connection that has ended');
}

async function opened(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.setNoDelay(true);
  socket.resume();
  await once(socket, 'connect');
  return socket;
}

async function openedTls(port: number): Promise<Socket> {
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
  socket.on('error', () => undefined);
  socket.setNoDelay(true);
  socket.resume();
  await once(socket, 'secureConnect');
  return socket;
}

async function writeInPieces(socket: Socket, bytes: Buffer, random: Random): Promise<void> {
  const largest = 1 + random(2_000);
  for (let at = 0; at < bytes.length && !socket.destroyed;) {
    const size = 1 + random(largest);
    socket.write(bytes.subarray(at, at + size));
    at += size;
    if (random(3) === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

async function within<T>(promise: Promise<T>, otherwise: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(otherwise)), answerWithinMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Frames of the control protocol: with right and wrong lengths, before and after authentication. */
async function frames(field: Battlefield, count: number): Promise<number> {
  for (let sent = 0; sent < count;) {
    const some = Math.min(framesPerConnection, count - sent);
    sent += some;
    await withPeer(field, (peer) => control(field, peer, some));
  }
  return 0;
}

async function control(field: Battlefield, peer: UdpPeer, count: number): Promise<void> {
  const { random, ports } = field;
  peer.onMessage = (message: Seen) => {
    if (message.kind === 'request' && message.method !== 'ACK') peer.respond(message, 200, 'OK');
  };
  const isStranger = random(5) === 0;
  const connection = await ControlConnection.open(ports.controlPort, isStranger ? undefined : subjectSecret);
  const transactionId = isStranger ? 'none' : await takenRequest(field, peer, connection);
  const seeds = controlSeeds({ ...seedParts(field, peer), dialogId: field.dialogId, transactionId });
  for (let i = 0; i < count; i++) connection.write(reframed(mutatedLocally(seeds, random), random));
  const { closed } = connection;
  if (random(4) === 0) connection.close();
  else connection.end();
  await within(closed, 'the engine does not close a control connection that has ended');
}

/** The transaction id of a request that the connection is given to answer. */
async function takenRequest(
  { ports, next }: Battlefield,
  peer: UdpPeer,
  connection: ControlConnection,
): Promise<string> {
  await connection.ask('route|fuzz');
  const number = next();
  peer.send(
    requestText(peer, { method: 'FUZZ', port: ports.udpPort, callId: `ctl-${number}`, cseq: number }),
  );
  const frame = await connection.next();
  return frame.split('|')[7] ?? '';
}

/** Most mutations get a length that fits again: a stream that has lost its framing is closed at once. */
function reframed(bytes: Buffer, random: Random): Buffer {
  const hash = bytes.indexOf('#');
  if (hash < 0 || random(8) === 0) return bytes;
  const payload = bytes.subarray(hash + 1);
  return Buffer.concat([Buffer.from(`${payload.length}#`), payload]);
}

/** The attacks with their share of the mutations, in per cent. */
export const attacks: readonly { readonly attack: Attack; readonly percent: number }[] = [
  { attack: strangers, percent: 30 },
  { attack: tortures, percent: 15 },
  { attack: insiders, percent: 15 },
  { attack: answers, percent: 10 },
  { attack: streams, percent: 20 },
  { attack: frames, percent: 10 },
];
