import { setTimeout as delay } from 'node:timers/promises';
import { Browser, type CallWatcher } from './browser.js';
import { browserSdp } from './messages.js';
import { pace, percentile, settle } from './pace.js';
import { userName, type Target } from './target.js';

export interface Duration {
  readonly warmUpSeconds: number;
  readonly measuredSeconds: number;
  /** Where to write a CPU profile of the measured seconds; the profiler's own cost then spoils the figure. */
  readonly profileFile?: string;
}

/** What a scenario found out. */
export interface Result {
  /** CPU milliseconds of the server for each operation. */
  readonly cpuMs: number;
  readonly operations: number;
  readonly failures: ReadonlyMap<string, number>;
  /** INVITE to the first 18x, in milliseconds. */
  readonly ringMs?: { readonly p50: number; readonly p99: number };
}

const settleSeconds = 5;

/** Counts operations from their start to their end. */
class Ledger {
  started = 0;
  ended = 0;
  readonly failures = new Map<string, number>();
  ringMs: number[] = [];

  get isSettled(): boolean {
    return this.ended === this.started;
  }

  begin(): (failure?: string) => void {
    this.started++;
    return (failure) => {
      this.ended++;
      if (failure !== undefined) this.fail(failure);
    };
  }

  fail(why: string, count = 1): void {
    this.failures.set(why, (this.failures.get(why) ?? 0) + count);
  }
}

/** Warms the server up, then runs `start` at that rate and asks the server what it cost. */
async function measure(
  target: Target,
  perSecond: number,
  duration: Duration,
  ledger: Ledger,
  start: () => void,
): Promise<Result> {
  await pace(perSecond, duration.warmUpSeconds, start);
  ledger.ringMs = [];
  const { profileFile } = duration;
  const before = await target.process.ask({ startProfile: profileFile !== undefined });
  const operations = await pace(perSecond, duration.measuredSeconds, start);
  const after = await target.process.ask(profileFile === undefined ? {} : { profileFile });
  const ringMs = ledger.ringMs;
  await settle(() => ledger.isSettled, settleSeconds);
  if (!ledger.isSettled) ledger.fail('no end', ledger.started - ledger.ended);
  const cpuMs = (after.cpuMicros - before.cpuMicros) / 1_000 / operations;
  const { failures } = ledger;
  if (ringMs.length === 0) return { cpuMs, operations, failures };
  return {
    cpuMs,
    operations,
    failures,
    ringMs: { p50: percentile(ringMs, 0.5), p99: percentile(ringMs, 0.99) },
  };
}

/** WebSocket handshake, REGISTER, 401, REGISTER, 200; each by another user, who stays. */
export async function logins(target: Target, perSecond: number, duration: Duration): Promise<Result> {
  const ledger = new Ledger();
  const browsers: Browser[] = [];
  let next = 0;
  try {
    return await measure(target, perSecond, duration, ledger, () => {
      const end = ledger.begin();
      Browser.open(target.wsUrl, userName(next++), '', (browser) => {
        if (browser === undefined) return end('no connection');
        browsers.push(browser);
        browser.register(end);
      });
    });
  } finally {
    for (const browser of browsers) browser.close();
  }
}

/** REGISTER, 401, REGISTER, 200 on WebSockets that are open, in turn. */
export async function refreshes(target: Target, perSecond: number, duration: Duration): Promise<Result> {
  const ledger = new Ledger();
  const browsers = await signIn(target.wsUrl, perSecond);
  let next = 0;
  try {
    return await measure(target, perSecond, duration, ledger, () => {
      const end = ledger.begin();
      const browser = browsers[next++ % browsers.length];
      if (browser === undefined || browser.isRegistering) end('the last refresh has not ended yet');
      else browser.register(end);
    });
  } finally {
    for (const browser of browsers) browser.close();
  }
}

function watch(ledger: Ledger): CallWatcher {
  const end = ledger.begin();
  const began = performance.now();
  return {
    ringing: () => void ledger.ringMs.push(performance.now() - began),
    ended: () => end(),
    failed: (why) => end(why),
  };
}

const sdpBytes = 3_000;

/** INVITE with 3 KB of SDP, 180, 200 with as much, ACK, BYE, 200; between pairs of browsers, in turn. */
export async function browserCalls(target: Target, perSecond: number, duration: Duration): Promise<Result> {
  const ledger = new Ledger();
  const sdp = browserSdp(sdpBytes);
  const browsers = await signIn(target.wsUrl, 2 * Math.min(perSecond, 100), sdp);
  const half = browsers.length / 2;
  if (target.kind === 'floor') {
    await Promise.all(browsers.map((browser, i) => browser.pair(`p${i % half}`)));
  }
  let next = 0;
  try {
    return await measure(target, perSecond, duration, ledger, () => {
      const pair = next++ % half;
      browsers[pair]?.call(userName(pair + half), sdp, watch(ledger));
    });
  } finally {
    for (const browser of browsers) browser.close();
  }
}

/** The same, to the scripted PBX behind the trunk. */
export async function trunkCalls(target: Target, perSecond: number, duration: Duration): Promise<Result> {
  const ledger = new Ledger();
  const sdp = browserSdp(sdpBytes);
  const browsers = await signIn(target.wsUrl, Math.min(perSecond, 100), sdp);
  let next = 0;
  try {
    return await measure(target, perSecond, duration, ledger, () => {
      const caller = next++;
      browsers[caller % browsers.length]?.call(`9${caller}`, sdp, watch(ledger));
    });
  } finally {
    for (const browser of browsers) browser.close();
  }
}

/** Memory of the server for each connection that has signed in and says nothing, in bytes. */
export async function idleMemory(target: Target, url: string, connections: number): Promise<number> {
  const first = Math.round(connections / 4);
  const browsers = await signIn(url, first);
  try {
    const before = await restedMemory(target);
    browsers.push(...(await signIn(url, connections, '', first)));
    const after = await restedMemory(target);
    return (after - before) / connections;
  } finally {
    for (const browser of browsers) browser.close();
  }
}

const restMs = 1_500;

/** Memory once what was left over is collected; twice, since finalizers run in between. */
async function restedMemory(target: Target): Promise<number> {
  for (let i = 0; i < 2; i++) {
    await target.process.ask({ collectGarbage: true });
    await delay(restMs);
  }
  return (await target.process.ask({ collectGarbage: true })).memoryBytes;
}

const signInAtOnce = 50;

async function signIn(url: string, count: number, answerSdp = '', firstUser = 0): Promise<Browser[]> {
  const browsers: Browser[] = [];
  for (let at = 0; at < count; at += signInAtOnce) {
    const users = Array.from({ length: Math.min(signInAtOnce, count - at) }, (_, i) =>
      userName(firstUser + at + i),
    );
    browsers.push(...(await Promise.all(users.map((user) => Browser.signedIn(url, user, answerSdp)))));
  }
  return browsers;
}
