import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { browserSdp } from '../bench/messages.js';
import { percentile } from '../bench/pace.js';
import { domain, userName, Workspace } from '../bench/target.js';
import { freePort } from '../support/free-port.js';
import { GatewayProcess } from '../support/gateway-process.js';
import { Haproxy, type HaproxyServer } from '../support/haproxy.js';
import { within } from '../support/within.js';
import { AnsweringPbx } from './answering-pbx.js';
import { ReturningPhone } from './returning-phone.js';
import { wideLimits } from '../support/wide-limits.js';

export interface DrainOptions {
  /** The program. */
  readonly haproxy: string;
  /** Calls begun each second. */
  readonly rate: number;
  readonly phones: number;
  /** Before the first node is stopped, between the two, and after the second. */
  readonly pauseMs: number;
  readonly talkMs: { readonly least: number; readonly most: number };
}

export interface DrainOutcome {
  readonly calls: number;
  /** What went wrong, each. */
  readonly failed: readonly string[];
  /** Calls whose INVITE crossed the closing of its socket, so that the phone placed them again. */
  readonly placedAgain: number;
  /** Sockets that were closed with 1001. */
  readonly movedPhones: number;
  readonly setupP50Ms: number;
  readonly setupP95Ms: number;
  readonly setupMaxMs: number;
  /** How long each node took from SIGTERM to its end. */
  readonly drainMs: readonly number[];
  /** Calls that the PBX still has when all is over. */
  readonly ghosts: number;
}

interface Node {
  readonly file: string;
  readonly server: HaproxyServer;
  process: GatewayProcess;
}

const noticeSeconds = 1;
/** Longer than any call, and than the limit of the drain. */
const drainedWithinMs = 40_000;
const byeWithinMs = 2_000;
const sdpBytes = 1_200;

/** Two webtrunks behind HAProxy under load: one after the other is stopped by SIGTERM and started again. */
export async function drainUnderLoad(options: DrainOptions): Promise<DrainOutcome> {
  const workspace = new Workspace();
  const sdp = browserSdp(sdpBytes);
  const pbx = await AnsweringPbx.open(sdp);
  const nodes = [await startNode(workspace, 'one', pbx.port), await startNode(workspace, 'two', pbx.port)];
  const haproxy = await Haproxy.start(
    options.haproxy,
    nodes.map(({ server }) => server),
  );
  const url = `${haproxy.url.replace('http:', 'ws:')}/ws`;
  const phones = Array.from(
    { length: options.phones },
    (_, at) => new ReturningPhone(userName(at), url, sdp),
  );
  try {
    await Promise.all(phones.map((phone) => phone.comeBack()));
    let isOver = false;
    const rolled = rollOut(nodes, options.pauseMs).finally(() => (isOver = true));
    const [calls, drainMs] = await Promise.all([placeCalls(phones, options, () => isOver), rolled]);
    await within(byeWithinMs, 'BYE of the last call', pbx.emptied()).catch(() => undefined);
    const setups = calls.flatMap(({ setupMs }) => setupMs ?? []);
    return {
      calls: calls.length,
      failed: calls.flatMap(({ failure }) => failure ?? []),
      placedAgain: sum(phones.map((phone) => phone.placedAgain)),
      movedPhones: sum(phones.map((phone) => phone.moved)),
      setupP50Ms: percentile(setups, 0.5),
      setupP95Ms: percentile(setups, 0.95),
      setupMaxMs: percentile(setups, 1),
      drainMs,
      ghosts: pbx.calls.size,
    };
  } finally {
    for (const phone of phones) phone.close();
    for (const { process } of nodes) await process.stop();
    await haproxy.stop();
    await pbx.close();
    workspace.remove();
  }
}

async function startNode({ folder, users }: Workspace, name: string, pbxPort: number): Promise<Node> {
  const [port, adminPort, sipPort] = [await freePort(), await freePort(), await freePort()];
  const file = join(folder, `${name}.yaml`);
  writeFileSync(
    file,
    `listen:
  http: { address: 127.0.0.1, port: ${port} }
  admin: { address: 127.0.0.1, port: ${adminPort} }
domains: [{ name: ${domain}, users_file: ${users} }]
sip: { embedded: { listen: ["udp:127.0.0.1:${sipPort}"] } }
media: { engine: passthrough }
trunks: [{ name: pbx, type: ip, hosts: [{ uri: "sip:127.0.0.1:${pbxPort};transport=udp" }] }]
routes: [{ name: pbx, match: "^9[0-9]+$", to: { trunks: [pbx] } }]
limits: { ${wideLimits} }
drain: { notice: ${noticeSeconds}s, limit: 30s }
`,
  );
  return { file, server: { name, port, adminPort }, process: await GatewayProcess.start(file) };
}

async function rollOut(nodes: readonly Node[], pauseMs: number): Promise<readonly number[]> {
  const drainMs: number[] = [];
  for (const node of nodes) {
    await delay(pauseMs);
    const began = performance.now();
    await node.process.stop(drainedWithinMs);
    drainMs.push(performance.now() - began);
    node.process = await GatewayProcess.start(node.file);
  }
  await delay(pauseMs);
  return drainMs;
}

interface PlacedCall {
  readonly setupMs?: number;
  readonly failure?: string;
}

async function placeCalls(
  phones: readonly ReturningPhone[],
  { rate, talkMs }: DrainOptions,
  isOver: () => boolean,
): Promise<readonly PlacedCall[]> {
  const calls: Promise<PlacedCall>[] = [];
  const free = [...phones];
  const began = performance.now();
  while (!isOver()) {
    const phone = free.shift();
    if (phone === undefined) throw new Error('there are too few phones for that many calls');
    const long = talkMs.least + ((calls.length * 7) % 11) * ((talkMs.most - talkMs.least) / 10);
    calls.push(placeOne(phone, long).finally(() => free.push(phone)));
    await delay(Math.max(0, (calls.length * 1_000) / rate - (performance.now() - began)));
  }
  return Promise.all(calls);
}

async function placeOne(phone: ReturningPhone, talkMs: number): Promise<PlacedCall> {
  try {
    return { setupMs: await phone.call('9000', talkMs) };
  } catch (error) {
    return { failure: `${phone.user}: ${error instanceof Error ? error.message : String(error)}` };
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

/** The outcome in a line. */
export function drainText(outcome: DrainOutcome): string {
  const { calls, failed, placedAgain, movedPhones, setupP50Ms, setupP95Ms, setupMaxMs, drainMs } = outcome;
  const times = [setupP50Ms, setupP95Ms, setupMaxMs].map((ms) => `${ms.toFixed(0)} ms`).join(', ');
  return (
    `${calls} calls, ${failed.length} failed, ${placedAgain} placed again; ${movedPhones} sockets closed with 1001; ` +
    `setup p50, p95, max ${times}; drained in ${drainMs.map((ms) => `${(ms / 1_000).toFixed(1)} s`).join(' and ')}`
  );
}
