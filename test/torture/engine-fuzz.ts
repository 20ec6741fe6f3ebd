import { createSocket, type Socket } from 'node:dgram';
import { setTimeout as delay } from 'node:timers/promises';
import { requestText } from '../support/engine-lab.js';
import { UdpPeer } from '../support/sip-peer.js';
import { attacks, placeCall, type Battlefield } from './engine-attacks.js';
import type { SeedDialog } from './engine-seeds.js';
import { EngineSubject, type SubjectState } from './engine-subject-process.js';
import { seededRandom } from './mutate.js';

export interface FuzzOptions {
  /** Mutations to send in all. */
  readonly count: number;
  /** The same seed makes the same mutations. */
  readonly seed: number;
  /** Told now and then how far it is. */
  readonly say?: (text: string) => void;
  /** When to stop, by `performance.now()`, even if there were fewer. */
  readonly untilMs?: number;
}

export interface EngineFuzzReport {
  readonly sent: number;
  /** Of these, datagrams. */
  readonly datagrams: number;
  readonly state: SubjectState;
  /** Live bytes of the engine's process after a fifth of the mutations and at the end, both at rest. */
  readonly heapBytes: readonly [early: number, late: number];
  readonly seconds: number;
  /** The attack after which the next answer took longest. */
  readonly slowest: { readonly ms: number; readonly what: string };
}

/** Mutations between two checks: few enough that no socket buffer overflows. */
const batch = 40;
const batchesPerCall = 25;
const restWithinMs = 30_000;
const answerWithinMs = 10_000;

/**
 * Sends mutated messages and frames to an engine in a process of its own, while one call stays up and others come and
 * go. Throws when the engine ends, stops answering, logs a defect, harms that call or keeps something.
 */
export async function fuzzEngine({
  count,
  seed,
  say,
  untilMs = Infinity,
}: FuzzOptions): Promise<EngineFuzzReport> {
  const started = performance.now();
  const names = await NoNames.open();
  const subject = EngineSubject.start(names.address);
  try {
    const random = seededRandom(seed);
    let number = 1;
    const next = (): number => (number += 1);
    const ports = await subject.ask();
    const witness = new Witness(await UdpPeer.open(ports.udpPort), { ports, next });
    try {
      const dialogId = await witness.call();
      const field: Battlefield = { subject, ports, random, next, dialogId };
      const slowest = { ms: 0, what: '' };
      const stretch = { to: count, say, slowest, untilMs };
      const earlyMs = started + (untilMs - started) / 5;
      const early = { ...stretch, from: 0, to: Math.floor(count / 5), untilMs: earlyMs };
      const first = await torment(field, witness, early);
      const before = await atRest(subject, witness);
      const second = await torment(field, witness, { ...stretch, from: first.sent });
      await witness.hangUp();
      const state = await atRest(subject, undefined);
      return {
        sent: second.sent,
        datagrams: first.datagrams + second.datagrams,
        state,
        heapBytes: [before.heapBytes, state.heapBytes],
        seconds: (performance.now() - started) / 1000,
        slowest,
      };
    } finally {
      await witness.close();
    }
  } finally {
    await subject.stop();
    await names.close();
  }
}

interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly untilMs: number;
  readonly say: FuzzOptions['say'];
  readonly slowest: { ms: number; what: string };
}

/** Returns how many mutations were sent, `from` among them, and how many of the new ones as datagrams. */
async function torment(
  field: Battlefield,
  witness: Witness,
  { from, to, untilMs, say, slowest }: Stretch,
): Promise<{ readonly sent: number; readonly datagrams: number }> {
  let datagrams = 0;
  let batches = 0;
  let sent = from;
  for (; sent < to && performance.now() < untilMs; batches++) {
    const { attack } = attackAt(field.random(100));
    const some = Math.min(batch, to - sent);
    try {
      datagrams += await attack(field, some);
      const sentMs = performance.now();
      await witness.testify();
      const ms = performance.now() - sentMs;
      if (ms > slowest.ms) Object.assign(slowest, { ms, what: attack.name });
      if (batches % batchesPerCall === 0) await checkUp(field, witness);
    } catch (error) {
      const { stack = String(error) } = error instanceof Error ? error : {};
      throw new Error(`${attack.name}, after ${sent} mutations: ${stack}`, { cause: error });
    }
    sent += some;
    if (batches % 250 === 0) say?.(`${sent} of ${to}`);
  }
  return { sent, datagrams };
}

async function checkUp({ subject }: Battlefield, witness: Witness): Promise<void> {
  await witness.callAndHangUp();
  const { errors } = await subject.ask({ hangUp: false });
  if (errors.length > 0) throw new Error(`the engine logged:\n${errors.join('\n')}`);
}

function attackAt(percent: number): (typeof attacks)[number] {
  let sum = 0;
  for (const candidate of attacks) {
    sum += candidate.percent;
    if (percent < sum) return candidate;
  }
  throw new Error('the shares of the attacks are less than 100 %');
}

/** Connections may stay after the last call; those of peers that said no goodbye are closed when they have been idle. */
const mayLinger = 4;

/** The state once every table is empty again, but for the witness's own call. */
async function atRest(subject: EngineSubject, witness: Witness | undefined): Promise<SubjectState> {
  const own = witness === undefined ? 0 : 1;
  const until = Date.now() + restWithinMs;
  for (;;) {
    const state = await subject.ask({ hangUp: true });
    const { clients, connections = 0, ...tables } = state.sizes;
    const rest = Object.values(tables).reduce((sum, size) => sum + size, 0);
    if (rest <= own && clients === 2 && connections <= mayLinger)
      return subject.ask({ collectGarbage: true });
    if (Date.now() > until) throw new Error(`the tables are not empty: ${JSON.stringify(state.sizes)}`);
    await delay(50);
  }
}

/** A well-behaved caller: its call stays up all the time, and others of its calls work. */
class Witness {
  private dialog: SeedDialog | undefined;

  constructor(
    private readonly peer: UdpPeer,
    private readonly field: Pick<Battlefield, 'ports' | 'next'>,
  ) {}

  /** Establishes the lasting call; returns its dialog id. */
  async call(): Promise<string> {
    this.dialog = await placeCall(this.peer, this.field, 'witness');
    return `${this.dialog.callId};from-tag=${this.dialog.fromTag}`;
  }

  /** Asks whether the lasting call is alive: the engine has by then taken every datagram that was sent before. */
  async testify(): Promise<void> {
    await this.ask('INFO', this.dialog);
  }

  async callAndHangUp(): Promise<void> {
    await this.ask('BYE', await placeCall(this.peer, this.field));
  }

  async hangUp(): Promise<void> {
    await this.ask('BYE', this.dialog);
  }

  close(): Promise<void> {
    return this.peer.close();
  }

  private async ask(method: string, dialog: SeedDialog | undefined): Promise<void> {
    if (dialog === undefined) throw new Error('there is no call');
    const { peer, field } = this;
    const cseq = field.next();
    peer.send(requestText(peer, { method, port: field.ports.udpPort, cseq, ...dialog }));
    await peer.next(
      (message) => message.kind === 'response' && message.status === 200 && message.cseq.number === cseq,
      answerWithinMs,
    );
  }
}

/** A name server that knows no names: mutated hosts must not be looked up elsewhere. */
class NoNames {
  private constructor(private readonly socket: Socket) {
    socket.on('message', (question, { port, address }) => {
      const answer = Buffer.from(question);
      if (answer.length < 12) return;
      // RFC 1035 §4.1.1: QR, RA and the RCODE "name error"; the question stays.
      answer.writeUInt16BE(0x8183, 2);
      socket.send(answer, port, address);
    });
  }

  static async open(): Promise<NoNames> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    return new NoNames(socket);
  }

  get address(): string {
    return `127.0.0.1:${this.socket.address().port}`;
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.socket.close(() => resolve()));
  }
}
