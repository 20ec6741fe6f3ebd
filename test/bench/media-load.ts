import dgram from 'node:dgram';
import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { rtpPacket } from '../support/rtp-phone.js';
import { WebrtcPeer } from '../support/webrtc-peer.js';
import type { Direction, FromLoad, ToLoad } from './media-load-wire.js';
import { percentile } from './pace.js';

/**
 * The load generator, a process of its own: browsers and phones that send 50 packets a second of 20 ms PCMU each, spread
 * evenly over time. Each packet carries its time of sending; both sides read one clock.
 */
const packetMs = 20;
const tickMs = 1;
const firstPacketEveryMs = 2;
const connectWithinMs = 3_000;
/** Packets that are under way at the end count. */
const restMs = 500;
const warmUpMs = 1_000;
const voice = '\xff'.repeat(160);
const [timeAt, runAt] = [12, 20];

/** What arrives at one side of all calls in one run. */
class Arrivals {
  sent = 0;
  readonly delaysMs: number[] = [];

  get direction(): Direction {
    const { sent, delaysMs } = this;
    const [p50, p99] = [percentile(delaysMs, 0.5), percentile(delaysMs, 0.99)];
    return { sent, received: delaysMs.length, p50, p99 };
  }
}

/** Number of the run; packets of others are not counted. */
let run = 0;
let toPhone = new Arrivals();
let toBrowser = new Arrivals();

/** One end's packets, written into one buffer again and again. */
class Voice {
  readonly #packet = rtpPacket(0, 0, voice, Math.floor(Math.random() * 2 ** 32));
  #sequence = 0;

  next(): Buffer {
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#packet.writeUInt16BE(this.#sequence, 2);
    this.#packet.writeUInt32BE((this.#packet.readUInt32BE(4) + 160) >>> 0, 4);
    this.#packet.writeDoubleBE(performance.now(), timeAt);
    this.#packet.writeUInt8(run, runAt);
    return this.#packet;
  }
}

class LoadCall {
  readonly #socket = dgram.createSocket('udp4');
  readonly #fromPhone = new Voice();
  readonly #fromBrowser = new Voice();
  readonly #peer = new WebrtcPeer({ onPacket: (packet) => this.#atBrowser(packet) });
  #offeredMs = 0;
  #toPhoneMs: number | undefined;
  #toBrowserMs: number | undefined;

  async offer(withCandidates: boolean): Promise<{ offer: string; phone: string }> {
    this.#socket.on('message', (packet) => this.#atPhone(packet));
    this.#socket.bind(0, '127.0.0.1');
    await once(this.#socket, 'listening');
    const { port } = this.#socket.address();
    const phone = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0'];
    const offer = await (withCandidates ? this.#peer.offerWithCandidates() : this.#peer.offer());
    this.#offeredMs = performance.now();
    return { offer, phone: [...phone, `m=audio ${port} RTP/AVP 0`, ''].join('\r\n') };
  }

  /** Sends until something has arrived at both ends; returns how long after the offer that was, undefined when never. */
  async connect(
    answer: string,
    port: number,
  ): Promise<{ toPhoneMs: number; toBrowserMs: number } | undefined> {
    this.#socket.connect(port, '127.0.0.1');
    await once(this.#socket, 'connect');
    if (!this.#takeAnswer(answer)) return undefined;
    for (const until = performance.now() + connectWithinMs; performance.now() < until;) {
      this.sendFromPhone();
      if (this.#peer.states.includes('open')) this.sendFromBrowser();
      const [toPhoneMs, toBrowserMs] = [this.#toPhoneMs, this.#toBrowserMs];
      if (toPhoneMs !== undefined && toBrowserMs !== undefined)
        return { toPhoneMs: toPhoneMs - this.#offeredMs, toBrowserMs: toBrowserMs - this.#offeredMs };
      await delay(firstPacketEveryMs);
    }
    return undefined;
  }

  /** False when the checks of the other side overtook the answer and the handshake has failed already: the library throws then. */
  #takeAnswer(answer: string): boolean {
    try {
      this.#peer.takeAnswer(answer);
      return true;
    } catch {
      return false;
    }
  }

  sendFromPhone(): void {
    this.#socket.send(this.#fromPhone.next());
  }

  sendFromBrowser(): void {
    this.#peer.send(this.#fromBrowser.next());
  }

  close(): void {
    this.#peer.close();
    this.#socket.close();
  }

  #atPhone(packet: Buffer): void {
    this.#toPhoneMs ??= performance.now();
    count(packet, toPhone);
  }

  #atBrowser(packet: Buffer): void {
    this.#toBrowserMs ??= performance.now();
    count(packet, toBrowser);
  }
}

function count(packet: Buffer, arrivals: Arrivals): void {
  if (packet.length <= runAt || packet.readUInt8(runAt) !== run || run === 0) return;
  arrivals.delaysMs.push(performance.now() - packet.readDoubleBE(timeAt));
}

const calls: LoadCall[] = [];

/** Sends from all ends for so long, each end at its own moment of the 20 ms. */
async function send(seconds: number): Promise<void> {
  const ends = calls.flatMap((call) => [() => call.sendFromPhone(), () => call.sendFromBrowser()]);
  const total = Math.round((ends.length * seconds * 1_000) / packetMs);
  const began = performance.now();
  for (let sent = 0; sent < total; await delay(tickMs)) {
    const due = Math.min(total, Math.floor(((performance.now() - began) * ends.length) / packetMs));
    for (; sent < due; sent++) ends[sent % ends.length]?.();
  }
  const each = total / 2;
  toPhone.sent = each;
  toBrowser.sent = each;
}

async function measure(seconds: number): Promise<FromLoad> {
  run = 0;
  await send(warmUpMs / 1_000);
  process.send?.({ op: 'begun' } satisfies FromLoad);
  [toPhone, toBrowser] = [new Arrivals(), new Arrivals()];
  run = 1 + Math.floor(Math.random() * 255);
  const lag = monitorEventLoopDelay({ resolution: 1 });
  lag.enable();
  await send(seconds);
  lag.disable();
  process.send?.({ op: 'sent' } satisfies FromLoad);
  await delay(restMs);
  const lagMs = lag.percentile(99) / 1e6 - 1;
  return { op: 'ran', toPhone: toPhone.direction, toBrowser: toBrowser.direction, lagMs };
}

async function act(message: ToLoad): Promise<FromLoad> {
  switch (message.op) {
    case 'offer': {
      const call = new LoadCall();
      calls[message.call]?.close();
      calls[message.call] = call;
      return { op: 'offered', call: message.call, ...(await call.offer(message.withCandidates)) };
    }
    case 'connect': {
      const { call, answer, port } = message;
      const times = await calls[call]?.connect(answer, port);
      return times === undefined ? { op: 'failed', call } : { op: 'connected', call, ...times };
    }
    case 'run':
      return measure(message.seconds);
  }
}

process.on('message', (message: ToLoad) => void act(message).then((answer) => process.send?.(answer)));
process.on('disconnect', () => process.exit());
