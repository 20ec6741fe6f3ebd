import { setTimeout as delay } from 'node:timers/promises';
import { Workspace } from '../bench/target.js';
import { sdp } from '../support/sip-peer.js';
import { callFromPbx, inTurns, isBrief, phoneOf, placeCalls, type CallUp } from './calls-up.js';
import { KilledGateway, type KillCase, type KillPrograms } from './kill-case.js';
import { SoakPbx } from './soak-pbx.js';
import type { SoakPhone } from './soak-phone.js';
import type { SoakDialog, SoakUa } from './soak-ua.js';

export interface KillOptions {
  /** Calls that are up when it is killed. */
  readonly calls: number;
  readonly graceSeconds: number;
  readonly programs: KillPrograms;
  readonly cases: readonly KillCase[];
}

/** What became of the calls of one case. */
export interface KillOutcome extends KillCase {
  readonly calls: number;
  /** Gone on with: re-INVITE and hang-up worked. */
  readonly wentOn: number;
  /** Of those that went on, the ones that were on hold. */
  readonly heldWentOn: number;
  /** Of those that went on, the ones whose end the PBX could not tell: its BYE was answered 481, the browser had to hang up. */
  readonly unheard: number;
  /** Ended at the PBX with a BYE of ours. */
  readonly endedByUs: number;
  /** Over at the PBX when it asked: its request was answered 481. */
  readonly endedWhenAsked: number;
  /** Nobody has told the PBX, or the browser, that they are over. */
  readonly ghosts: number;
  readonly cdrs: number;
  /** CDRs by code. */
  readonly codes: string;
  /** From the kill until it was up, and until all browsers were back, in ms. */
  readonly upMs: number;
  readonly backMs: number;
  /** From the kill until a browser without a call has answered a new one of the PBX's, in ms. */
  readonly calledMs: number;
  /** Tables that are not empty in the end, but for what stands. */
  readonly left: string;
}

/** Who calls the browser without a call. */
const again = '700';
const tellWithinMs = 4_000;
/** A CDR waits for the last figures of the media engine. */
const writtenWithinMs = 10_000;
const pbxRtpPort = 9_000;
/** Bindings stand, what waits for a browser stays for its grace, and transactions over UDP stay for half a minute (RFC 3261 §17.2.2). */
const standing =
  /^(bindings|endpoints|detached|cores|flows|addresses|engine_clients|engine_\w+Transactions|transactions|trunk_transactions|newcomers|store_waiting|failureWindows|unsent|\w+Rates)$/;

/** Kills a webtrunk with calls up, for each case, and looks what becomes of them when it is started again. */
export async function killWithCallsUp(options: KillOptions): Promise<readonly KillOutcome[]> {
  const outcomes: KillOutcome[] = [];
  for (const each of options.cases) outcomes.push(await killOne(each, options));
  return outcomes;
}

/** The outcomes as a table. */
export function killTable(outcomes: readonly KillOutcome[]): string {
  const head = [
    'engine',
    'store',
    'media',
    'calls',
    'go on',
    'of them held',
    'PBX unheard',
    'BYE to PBX',
    '481 when asked',
    'ghosts',
    'CDRs',
    'up',
    'back',
    'called',
  ];
  const rows = outcomes.map((each) => [
    each.engine,
    each.store,
    each.media,
    ...[
      each.calls,
      each.wentOn,
      each.heldWentOn,
      each.unheard,
      each.endedByUs,
      each.endedWhenAsked,
      each.ghosts,
    ].map(String),
    `${each.cdrs} (${each.codes})`,
    `${each.upMs.toFixed(0)} ms`,
    `${each.backMs.toFixed(0)} ms`,
    `${each.calledMs.toFixed(0)} ms`,
  ]);
  const widths = head.map((name, at) => Math.max(name.length, ...rows.map((row) => (row[at] ?? '').length)));
  return [head, ...rows]
    .map((row) => row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  '))
    .join('\n');
}

async function killOne(each: KillCase, options: KillOptions): Promise<KillOutcome> {
  const workspace = new Workspace();
  const pbx = await SoakPbx.open(sdp(pbxRtpPort));
  const gateway = await KilledGateway.start(workspace, each, options.programs, {
    pbxPort: pbx.port,
    graceSeconds: options.graceSeconds,
  });
  pbx.gatewayPort = gateway.sipPort;
  let calls: readonly CallUp[] = [];
  const idle = phoneOf(options.calls, gateway.wsUrl);
  try {
    await idle.connect();
    calls = await placeCalls(gateway.wsUrl, pbx, options.calls);
    await gateway.settled(calls.length);
    const began = performance.now();
    const upMs = await gateway.killAndStart();
    const called = callAgain(idle, each, pbx);
    await inTurns(
      calls.filter(({ isGone }) => !isGone),
      ({ phone }) => phone.connect(),
    );
    const backMs = performance.now() - began;
    const calledMs = (await called) - began;
    const alive = new Set<CallUp>();
    await inTurns(
      calls.filter((call) => !call.isGone && !isBrief(call)),
      async (call) => {
        if (await tryOut(call)) alive.add(call);
      },
    );
    let unheard = 0;
    await inTurns([...alive], async (call, at) => {
      if (!(await hangUp(call, pbx.ua, at % 2 === 0))) unheard += 1;
    });
    if (isToldByUs(each)) await untilTold(calls, options.graceSeconds * 1_000 + tellWithinMs);
    const endedByUs = calls.filter((call) => call.pbxTold && !alive.has(call)).length;
    const endedWhenAsked = await askAll(calls, pbx.ua);
    for (const call of calls) if (!call.isGone && !call.browserTold) await tryOut(call);
    const ghosts = calls.filter((call) => !call.pbxTold || !(call.browserTold || call.isGone)).length;
    if (each.store === 'redis')
      await until(() => gateway.cdrs(idle.user).calls >= calls.length, writtenWithinMs);
    const left = await leftIn(gateway);
    const { calls: cdrs, distinct, codes } = gateway.cdrs(idle.user);
    if (distinct !== cdrs) throw new Error(`${cdrs} CDRs of ${distinct} calls`);
    return {
      ...each,
      ...{
        calls: calls.length,
        wentOn: alive.size,
        unheard,
        endedByUs,
        endedWhenAsked,
        ghosts,
        cdrs,
        upMs,
        backMs,
        calledMs,
      },
      heldWentOn: [...alive].filter(({ isHeld }) => isHeld).length,
      codes: [...codes].map(([code, count]) => `${code} ${count}`).join(', '),
      left: left.map(([name, size]) => `${name} ${size}`).join(', '),
    };
  } finally {
    for (const phone of [idle, ...calls.map(({ phone }) => phone)]) phone.drop();
    await gateway.stop();
    await pbx.close();
    workspace.remove();
  }
}

/** The PBX calls a browser as soon as that can be: without a store, when it is back. Gives when it has answered. */
async function callAgain(phone: SoakPhone, { store }: KillCase, pbx: SoakPbx): Promise<number> {
  const back = phone.connect();
  if (store === 'memory') await back;
  const [, office] = await callFromPbx(pbx, again, phone);
  const answered = performance.now();
  await back;
  await pbx.ua.hangUp(office);
  return answered;
}

/** Whether the browser can still change the call. */
async function tryOut(call: CallUp): Promise<boolean> {
  try {
    await call.phone.ua.reinvite(call.browser, call.isHeld ? 'sendrecv' : 'sendonly');
    return true;
  } catch {
    call.phone.ua.forget(call.browser);
    call.browserTold = true;
    return false;
  }
}

/** False when the PBX hung up and was not heard, so that the browser had to. */
async function hangUp(call: CallUp, pbx: SoakUa, byPbx: boolean): Promise<boolean> {
  const isHeard = byPbx && (await hangsUp(pbx, call.pbx));
  call.pbxTold ||= byPbx;
  if (isHeard) return true;
  call.browserTold = await hangsUp(call.phone.ua, call.browser);
  return !byPbx;
}

async function hangsUp(ua: SoakUa, dialog: SoakDialog): Promise<boolean> {
  try {
    await ua.hangUp(dialog);
    return true;
  } catch {
    return false;
  }
}

/** Whoever was not told asks, as a PBX does when its user hangs up or a session timer is due. Gives how many got 481. */
async function askAll(calls: readonly CallUp[], pbx: SoakUa): Promise<number> {
  let over = 0;
  await inTurns(
    calls.filter(({ pbxTold }) => !pbxTold),
    async (call) => {
      const answer = await pbx.hangUp(call.pbx).catch((error: unknown) => String(error));
      if (typeof answer !== 'string' || !answer.includes(' 481 ')) return;
      call.pbxTold = true;
      over += 1;
    },
  );
  return over;
}

async function untilTold(calls: readonly CallUp[], withinMs: number): Promise<void> {
  const isOpen = (call: CallUp): boolean => !call.pbxTold || !(call.browserTold || call.isGone);
  await until(() => !calls.some(isOpen), withinMs);
}

/** What is in its tables, but for what stands, when it has had time to put things away. */
async function leftIn(gateway: KilledGateway): Promise<readonly (readonly [string, number])[]> {
  for (const lateMs = performance.now() + writtenWithinMs; ; await delay(50)) {
    const left = Object.entries(await gateway.sizes()).filter(([name]) => !standing.test(name));
    if (left.length === 0 || performance.now() > lateMs) return left;
  }
}

/** Waits no longer than that. */
async function until(isSo: () => boolean, withinMs: number): Promise<void> {
  const lateMs = performance.now() + withinMs;
  while (performance.now() < lateMs && !isSo()) await delay(50);
}

/** Without anything that outlives the process nobody can say good-bye. */
function isToldByUs({ engine, store }: KillCase): boolean {
  return engine === 'drachtio' || store === 'redis';
}
