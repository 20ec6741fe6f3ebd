import { createSocket } from 'node:dgram';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../support/free-port.js';
import { findPeer } from '../support/peers.js';
import { startSipp } from '../support/run-sipp.js';
import { requestLines } from '../support/sip-text.js';
import { readEngineShares, type EngineShares } from './engine-profile.js';
import { MeasuredProcess } from './measured-process.js';
import { cpuMicrosOf } from './process-cpu.js';

/** A drachtio-server that somebody else has started, with no other application. */
export interface DrachtioServer {
  readonly host: string;
  readonly controlPort: number;
  readonly secret: string;
  readonly sipPort: number;
  /** Of its process, so that its CPU time can be read. */
  readonly pid: number | undefined;
}

export interface EngineBenchOptions {
  readonly seconds: number;
  readonly folder: string;
  readonly drachtio: DrachtioServer | undefined;
  readonly say: (text: string) => void;
}

/** What one engine was able to do. */
export interface EngineFigures {
  readonly name: string;
  /** The highest rate that was held. */
  readonly held: number;
  /** CPU milliseconds per call, of the application and of the engine, at {@link comparedRate} or the next lower that was tried. */
  readonly cpuMs: number;
  readonly cpuRate: number;
  /** Of the embedded engine. */
  readonly shares: EngineShares | undefined;
}

interface Rig {
  readonly name: string;
  readonly sipp: string;
  readonly b2bua: MeasuredProcess;
  readonly sipPort: number;
  readonly calleePort: number;
  /** CPU time of what is not in the measured process, in microseconds. */
  readonly otherCpuMicros: () => number;
}

interface Step {
  readonly calls: number;
  readonly failed: number;
  /** What SIPp said first about a failed call. */
  readonly why: string;
  readonly seconds: number;
  readonly cpuMs: number;
}

const firstRate = 300;
const rateStep = 200;
const highestRate = 2_300;
/** At which engines are compared: the target that both are to hold. */
const comparedRate = 500;
const failedShare = 0.01;
const warmUp = { rate: 200, seconds: 5 };
/** SIPp is not to be much later than its rate says: then calls have waited. */
const lateness = { factor: 1.15, seconds: 1.5 };
/** A call has failed when a message takes longer than that. */
const patienceMs = 5_000;
const restMs = 3_000;
/** What SIPp has to end its calls after the last has begun, whatever has become of them. */
const endWithinSeconds = 40;

/** "host:control port:secret:SIP port[:pid]"; undefined when it is something else. */
export function parseDrachtio(text: string): DrachtioServer | undefined {
  const [host = '', controlPort, secret = '', sipPort, pid] = text.split(':');
  const ports = [Number(controlPort), Number(sipPort)] as const;
  if (host === '' || ports.some((port) => !Number.isInteger(port))) return undefined;
  return {
    host,
    controlPort: ports[0],
    secret,
    sipPort: ports[1],
    pid: pid === undefined ? pid : Number(pid),
  };
}

/**
 * SIPp → engine → B2BUA on drachtio-srf → engine → SIPp, over UDP: the embedded engine, and drachtio-server when there is
 * one. Undefined when SIPp is not installed.
 */
export async function benchEngines(options: EngineBenchOptions): Promise<EngineFigures[] | undefined> {
  const sipp = findPeer('sipp');
  if (sipp === undefined) return undefined;
  const figures = [await benchEngine(await embeddedRig(sipp), options)];
  if (options.drachtio !== undefined)
    figures.push(await benchEngine(await drachtioRig(sipp, options.drachtio), options));
  return figures;
}

async function embeddedRig(sipp: string): Promise<Rig> {
  const [sipPort, calleePort] = [await freePort(), await freePort()];
  const b2bua = MeasuredProcess.start('./engine-b2bua.js', ['embedded', String(sipPort), String(calleePort)]);
  return { name: 'embedded', sipp, b2bua, sipPort, calleePort, otherCpuMicros: () => 0 };
}

async function drachtioRig(sipp: string, server: DrachtioServer): Promise<Rig> {
  const { host, controlPort, secret, sipPort, pid } = server;
  const calleePort = await freePort();
  const b2bua = MeasuredProcess.start('./engine-b2bua.js', [
    ...['drachtio', host, String(controlPort), secret],
    String(calleePort),
  ]);
  const otherCpuMicros = (): number => (pid === undefined ? 0 : cpuMicrosOf(pid));
  return { name: 'drachtio-server', sipp, b2bua, sipPort, calleePort, otherCpuMicros };
}

async function benchEngine(rig: Rig, options: EngineBenchOptions): Promise<EngineFigures> {
  const { say, seconds } = options;
  try {
    await answers(rig);
    say(`calls through the ${rig.name} engine`);
    await run(rig, warmUp.rate, warmUp.seconds);
    let held = 0;
    let [cpuMs, cpuRate] = [0, 0];
    for (let rate = firstRate; rate <= highestRate; rate += rateStep) {
      const step = await run(rig, rate, seconds);
      say(`  ${rate} calls/s: ${describe(step)}`);
      if (rate <= comparedRate) [cpuMs, cpuRate] = [step.cpuMs, rate];
      if (!isHeld(step, seconds)) break;
      held = rate;
    }
    const shares = rig.name === 'embedded' ? await profiled(rig, options) : undefined;
    return { name: rig.name, held, cpuMs, cpuRate, shares };
  } finally {
    await rig.b2bua.stop();
  }
}

function describe({ calls, failed, why, seconds, cpuMs }: Step): string {
  const figures = `${failed} of ${calls} failed, ${seconds.toFixed(1)} s, ${cpuMs.toFixed(2)} ms CPU per call`;
  return why === '' ? figures : `${figures}\n    SIPp: ${why}`;
}

const firstLineOf = (errors: string): string =>
  errors
    .split('\n')
    .find((line) => /unexpected|abort|retrans|timed out/i.test(line))
    ?.trim()
    .slice(0, 200) ?? 'no word of why';

function isHeld({ calls, failed, seconds }: Step, planned: number): boolean {
  const waited = failed === 0 ? 0 : patienceMs / 1_000;
  const mostSeconds = planned * lateness.factor + lateness.seconds + waited;
  return failed < calls * failedShare && seconds < mostSeconds;
}

/** Seen from the scenarios of the tests. */
const scenarioOf = (role: 'caller' | 'callee'): string => `../../bench/engine-${role}.xml`;

/** Places so many calls a second, and waits until all have ended. */
async function run(
  { sipp, b2bua, sipPort, calleePort, otherCpuMicros }: Rig,
  rate: number,
  seconds: number,
): Promise<Step> {
  const common = {
    program: sipp,
    transport: 'udp',
    calls: rate * seconds,
    timeoutSeconds: seconds + endWithinSeconds,
  } as const;
  const callee = startSipp({
    ...common,
    scenario: scenarioOf('callee'),
    // It ends when it is told: a request that comes late and is taken for a new call counts too.
    calls: 10 * common.calls,
    port: calleePort,
  });
  try {
    await callee.listening;
    const before = (await b2bua.ask()).cpuMicros + otherCpuMicros();
    const began = performance.now();
    const caller = startSipp({
      ...common,
      scenario: scenarioOf('caller'),
      port: await freePort(),
      target: sipPort,
      callsPerSecond: rate,
      isDeafInPauses: true,
      receiveWithinMs: patienceMs,
    });
    // SIPp does not always end when its own time is up.
    const cut = setTimeout(() => caller.stop(), 1_100 * common.timeoutSeconds);
    const { successful, errors } = await caller.result;
    clearTimeout(cut);
    const took = (performance.now() - began) / 1_000;
    const after = (await b2bua.ask()).cpuMicros + otherCpuMicros();
    const { calls } = common;
    const failed = Number.isNaN(successful) ? calls : calls - successful;
    const why = failed === 0 ? '' : firstLineOf(errors);
    return { calls, failed, why, seconds: took, cpuMs: (after - before) / 1_000 / calls };
  } finally {
    callee.stop();
    await callee.result.catch(() => undefined);
    await delay(restMs);
  }
}

/** Once more under the profiler, whose own cost would spoil the figures. */
async function profiled(rig: Rig, { folder, seconds }: EngineBenchOptions): Promise<EngineShares> {
  const profileFile = join(folder, 'engine.cpuprofile');
  await rig.b2bua.ask({ startProfile: true });
  await run(rig, comparedRate, seconds);
  await rig.b2bua.ask({ profileFile });
  return readEngineShares(profileFile);
}

const readyWithinMs = 15_000;
const askAgainMs = 100;

/** Waits until the application answers OPTIONS through the engine. */
async function answers({ b2bua, sipPort, name }: Rig): Promise<void> {
  const socket = createSocket('udp4');
  try {
    let isReady = false;
    socket.on('message', (bytes) => {
      if (bytes.toString('latin1').startsWith('SIP/2.0 200')) isReady = true;
    });
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    const { port } = socket.address();
    for (let count = 1, until = Date.now() + readyWithinMs; !isReady; count++) {
      if (b2bua.hasEnded || Date.now() > until) throw new Error(`${name} is not ready:\n${b2bua.errors}`);
      const lines = requestLines('OPTIONS', {
        start: `OPTIONS sip:b2bua@127.0.0.1:${sipPort} SIP/2.0`,
        Via: `SIP/2.0/UDP 127.0.0.1:${port};branch=z9hG4bKready${count}`,
        To: `<sip:b2bua@127.0.0.1:${sipPort}>`,
        'Call-ID': `ready-${port}-${count}`,
        Contact: `<sip:bench@127.0.0.1:${port}>`,
        'Content-Length': '0',
      });
      socket.send(`${lines.join('\r\n')}\r\n\r\n`, sipPort, '127.0.0.1');
      await delay(askAgainMs);
    }
  } finally {
    socket.close();
  }
}
