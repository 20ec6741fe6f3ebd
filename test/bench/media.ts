import { execFileSync, fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../sip/clock.js';
import { silentLog } from '../../sip/log.js';
import type { MediaEngine, MediaSession } from '../../sip/media/media-engine.js';
import { startRelayProcesses } from '../../sip/media/relay-process/relay-processes.js';
import { createRtpengineEngine } from '../../sip/media/rtpengine/rtpengine-engine.js';
import { audioPort, TimeoutRecord } from '../support/media-session.js';
import { findPeer } from '../support/peers.js';
import { Rtpengine } from '../support/rtpengine.js';
import { MediaServerRecord } from '../support/rtpengine-rig.js';
import type { Direction, FromLoad, ToLoad } from './media-load-wire.js';
import { percentile } from './pace.js';
import { cpuMicrosOf, mainThreadMicrosOf } from './process-cpu.js';

export interface MediaBenchOptions {
  readonly seconds: number;
  readonly say: (text: string) => void;
}

/** One engine at one number of calls. */
export interface MediaStep {
  readonly calls: number;
  /** Share of 50 packets a second that the generator was able to send. */
  readonly rate: number;
  /** Share of packets, both directions. */
  readonly loss: number;
  readonly p50: number;
  readonly p99: number;
  /** Percent of one core, per call. */
  readonly cpuPerCall: number;
  /** Percent of one core: the thread that runs JavaScript, in the relay. */
  readonly mainThread: number;
  readonly core: number;
  readonly lagMs: number;
}

/** What is measured; the relay once with a port for each browser, once with one for all. */
export type MediaRigName = 'relay' | 'relay, one browser port' | 'rtpengine';

/** What one engine was able to do. */
export interface MediaFigures {
  readonly engine: MediaRigName;
  readonly steps: readonly MediaStep[];
  /** The most calls with so little loss. */
  readonly held: number;
  readonly setUp: SetUpTimes | undefined;
}

/** From the browser's offer to the first packet, medians, one call at a time. */
export interface SetUpTimes {
  readonly toPhoneMs: number;
  readonly toBrowserMs: number;
}

type Connected = Extract<FromLoad, { op: 'connected' }>;

interface Rig {
  readonly name: MediaRigName;
  readonly engine: MediaEngine;
  readonly pid: number;
  /**
   * Whether the generator's browsers tell where they are, as real ones do. Their library cannot take the DTLS that rtpengine
   * sends before the answer; without candidates it takes a second to connect.
   */
  readonly withCandidates: boolean;
  close(): Promise<void>;
}

const steps = [50, 100, 200, 300, 400];
/** Below this share of loss a number of calls is held. */
const lossLimit = 0.001;
const rateLimit = 0.97;
/** Beyond this share of loss, or of what cannot be sent, more calls tell nothing. */
const hopeless = 0.2;
const setUpAtATime = 25;
const attempts = 4;
const setUpSamples = 20;
const relayPorts = { min: 12_000, max: 14_999 };
const browserPort = 11_999;
const rtpenginePorts = { min: 15_000, max: 18_999 };

/** PCMU calls between browsers and phones through the relay and, when it is installed, rtpengine in userspace. */
export async function benchMedia(options: MediaBenchOptions): Promise<MediaFigures[]> {
  const figures = [
    await benchRig(await relayRig('relay'), options),
    await benchRig(await relayRig('relay, one browser port'), options),
  ];
  const program = findPeer('rtpengine');
  if (program === undefined) options.say('rtpengine is not installed: the relay alone');
  else figures.push(await benchRig(await rtpengineRig(program), options));
  return figures;
}

/** As in production: a child process, packets never cross to ours. */
async function relayRig(name: Exclude<MediaRigName, 'rtpengine'>): Promise<Rig> {
  const engine = startRelayProcesses({
    address: '127.0.0.1',
    ports: relayPorts,
    ...(name === 'relay' ? {} : { browserPort }),
    processes: 1,
    quarantineMs: 0,
    log: silentLog,
    clock: systemClock,
    died: ({ reason }) => {
      throw new Error(`the relay has died: ${reason}`);
    },
  });
  const [pid = 0] = engine.pids;
  return { name, engine, pid, withCandidates: true, close: () => engine.close() };
}

async function rtpengineRig(program: string): Promise<Rig> {
  const server = await Rtpengine.start(program, { mediaPorts: rtpenginePorts });
  const events = new MediaServerRecord();
  const instances = [{ address: server.address, weight: 1 }];
  const engine = createRtpengineEngine({
    instances,
    owner: `bench ${process.pid}`,
    events,
    log: silentLog,
    clock: systemClock,
  });
  await events.told(`up 127.0.0.1:${server.port}`);
  const close = async (): Promise<void> => {
    await engine.close();
    await server.stop();
  };
  return { name: 'rtpengine', engine, pid: server.pid ?? 0, withCandidates: false, close };
}

/** All of its threads on one core; false when that cannot be done here. */
function pin(pid: number): boolean {
  if (cpus().length < 2) return false;
  try {
    execFileSync('taskset', ['-a', '-p', '-c', '1', String(pid)], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function benchRig(rig: Rig, options: MediaBenchOptions): Promise<MediaFigures> {
  const load = new Load();
  const sessions: MediaSession[] = [];
  try {
    const [busy = 0] = loadavg();
    const where = pin(rig.pid) ? 'on one core' : 'not bound to a core';
    options.say(`calls through the ${rig.name}, ${where}, load ${busy.toFixed(1)}`);
    const setUp = rig.withCandidates ? await setUpTimes(rig, load, sessions) : undefined;
    if (setUp !== undefined)
      options.say(
        `  offer to first packet: ${setUp.toPhoneMs.toFixed(1)} ms to the phone, ${setUp.toBrowserMs.toFixed(1)} ms to the browser`,
      );
    const done = await climb(rig, load, sessions, options);
    const held = Math.max(0, ...done.filter(isHeld).map(({ calls }) => calls));
    return { engine: rig.name, steps: done, held, setUp };
  } finally {
    await load.close();
    for (const session of sessions) session.close();
    await rig.close();
  }
}

async function setUpTimes(rig: Rig, load: Load, sessions: MediaSession[]): Promise<SetUpTimes> {
  const times: Connected[] = [];
  for (let call = 0; call < setUpSamples; call++) times.push(await connect(rig, load, call, sessions));
  return {
    toPhoneMs: percentile(
      times.map(({ toPhoneMs }) => toPhoneMs),
      0.5,
    ),
    toBrowserMs: percentile(
      times.map(({ toBrowserMs }) => toBrowserMs),
      0.5,
    ),
  };
}

/** Only what the generator was able to send says something. */
function isHeld({ loss, rate }: MediaStep): boolean {
  return loss < lossLimit && rate > rateLimit;
}

async function climb(
  rig: Rig,
  load: Load,
  sessions: MediaSession[],
  { seconds, say }: MediaBenchOptions,
): Promise<MediaStep[]> {
  const done: MediaStep[] = [];
  for (const calls of steps) {
    while (sessions.length < calls) {
      const first = sessions.length;
      const count = Math.min(setUpAtATime, calls - first);
      await Promise.all(
        Array.from({ length: count }, (_, index) => connect(rig, load, first + index, sessions)),
      );
    }
    const step = await measure(rig, load, calls, seconds);
    done.push(step);
    say(`  ${calls} calls: ${describe(step)}`);
    if (step.loss > hopeless || step.rate < 1 - hopeless) break;
  }
  return done;
}

/** Sets a call up; again when it does not connect, since the generator's library fails a handshake now and then. */
async function connect(
  { engine, withCandidates }: Rig,
  load: Load,
  call: number,
  sessions: MediaSession[],
): Promise<Connected> {
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const session = engine.createSession(`c_${call}_${attempt}`, new TimeoutRecord());
    sessions[call]?.close();
    sessions[call] = session;
    session.addEnd('l_browser', { profile: 'webrtc' });
    session.addEnd('l_phone', { profile: 'plain', codecs: ['PCMU'] });
    const { offer, phone } = await load.ask({ op: 'offer', call, withCandidates }, 'offered', call);
    const toPhone = await session.offer('l_browser', 'l_phone', offer);
    const answer = await session.answer('l_phone', 'l_browser', phone);
    const failed = load.hears('failed', call);
    const connected = load.ask({ op: 'connect', call, answer, port: audioPort(toPhone) }, 'connected', call);
    const heard = await Promise.race([connected, failed]);
    if (heard.op === 'connected') return heard;
  }
  throw new Error(`call ${call} does not connect`);
}

async function measure({ pid }: Rig, load: Load, calls: number, seconds: number): Promise<MediaStep> {
  const begun = load.hears('begun');
  const sent = load.hears('sent');
  const ran = load.ask({ op: 'run', seconds }, 'ran');
  await begun;
  const before = { all: cpuMicrosOf(pid), main: mainThreadMicrosOf(pid), at: performance.now() };
  await sent;
  const wallMicros = (performance.now() - before.at) * 1_000;
  const core = (100 * (cpuMicrosOf(pid) - before.all)) / wallMicros;
  const mainThread = (100 * (mainThreadMicrosOf(pid) - before.main)) / wallMicros;
  const { toPhone, toBrowser, lagMs } = await ran;
  const both = (pick: (one: Direction) => number): number => pick(toPhone) + pick(toBrowser);
  return {
    calls,
    rate: (seconds * 1e6) / wallMicros,
    loss: 1 - both(({ received }) => received) / both((one) => one.sent),
    p50: Math.max(toPhone.p50, toBrowser.p50),
    p99: Math.max(toPhone.p99, toBrowser.p99),
    cpuPerCall: core / calls,
    mainThread,
    core,
    lagMs,
  };
}

function describe({ rate, loss, p50, p99, core, mainThread, cpuPerCall, lagMs }: MediaStep): string {
  return [
    `${(100 * rate).toFixed(0)} % sent, ${(100 * loss).toFixed(3)} % lost`,
    `delay p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(1)} ms`,
    `${core.toFixed(0)} % of a core (main thread ${mainThread.toFixed(0)} %)`,
    `${cpuPerCall.toFixed(3)} % per call`,
    `generator late by ${lagMs.toFixed(1)} ms`,
  ].join(', ');
}

/** The load generator in its process. */
class Load {
  readonly #child: ChildProcess = fork(fileURLToPath(new URL('./media-load.js', import.meta.url)), [], {
    serialization: 'advanced',
  });
  readonly #waiting = new Set<(message: FromLoad) => void>();

  constructor() {
    this.#child.setMaxListeners(0);
    this.#child.on('message', (message: FromLoad) => {
      for (const hear of [...this.#waiting]) hear(message);
    });
  }

  /** Sends, and resolves with the next answer of that kind, for that call when one is named. */
  ask<Op extends FromLoad['op']>(
    message: ToLoad,
    op: Op,
    call?: number,
  ): Promise<Extract<FromLoad, { op: Op }>> {
    const heard = this.hears(op, call);
    this.#child.send(message);
    return heard;
  }

  hears<Op extends FromLoad['op']>(op: Op, call?: number): Promise<Extract<FromLoad, { op: Op }>> {
    return new Promise((resolve, reject) => {
      const fail = (): void => reject(new Error('the load generator has died'));
      const hear = (message: FromLoad): void => {
        if (!isOf(message, op) || (call !== undefined && 'call' in message && message.call !== call)) return;
        this.#waiting.delete(hear);
        this.#child.off('exit', fail);
        resolve(message);
      };
      this.#waiting.add(hear);
      this.#child.once('exit', fail);
    });
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.disconnect();
    const cut = setTimeout(() => this.#child.kill('SIGKILL'), 5_000);
    await gone;
    clearTimeout(cut);
  }
}

function isOf<Op extends FromLoad['op']>(
  message: FromLoad,
  op: Op,
): message is Extract<FromLoad, { op: Op }> {
  return message.op === op;
}
