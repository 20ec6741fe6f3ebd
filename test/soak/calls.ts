import { setTimeout as delay } from 'node:timers/promises';
import { browserSdp } from '../bench/messages.js';
import { percentile } from '../bench/pace.js';
import { Workspace } from '../bench/target.js';
import { sdp } from '../support/sip-peer.js';
import { startGatewayUnderLoad, type GatewayUnderLoad } from './gateway-under-load.js';
import { Load } from './load.js';
import { MemoryRecord, mebibytes } from './memory-record.js';
import { SoakPbx } from './soak-pbx.js';
import type { SoakOptions } from './soak.js';

/** What may differ between the long run and the short form. */
export interface CallsOptions extends SoakOptions {
  readonly talkMs?: { readonly least: number; readonly most: number };
  readonly reconnectEverySeconds?: number;
  readonly refreshEveryMs?: number;
  /** Of one report to the next. */
  readonly reportEverySeconds?: number;
  readonly graceSeconds?: number;
  /** Transactions over UDP stay for half a minute after the last call (RFC 3261 §17.2.2); waits for that unless told. */
  readonly waitsForTransactions?: boolean;
}

interface Lane {
  readonly name: string;
  readonly gateway: GatewayUnderLoad;
  readonly pbx: SoakPbx;
  readonly load: Load;
  readonly memory: MemoryRecord;
}

/** Of the whole, what goes through the relay, in a gateway of its own: media is a matter of a whole process. */
const relayShare = 0.05;
const leastEndpoints = 20;
const sdpBytes = 1_500;
const pbxRtpPort = 9_000;
const emptyWithinMs = 45_000;
/** Tables that are never empty while it runs. */
const standing = ['engine_clients'];
const ofTransactions = ['engine_clientTransactions', 'engine_serverTransactions'];

/**
 * Calls in all directions among registered endpoints that come and go, through whole gateways. Rejects when a call has
 * failed, memory grows after the first third, a table is not empty in the end, or the drain does not end well.
 */
export async function soakCalls(options: CallsOptions): Promise<string> {
  const workspace = new Workspace();
  const lanes: Lane[] = [];
  try {
    lanes.push(await openLane(workspace, 'passthrough', options));
    lanes.push(
      await openLane(workspace, 'relay', {
        ...options,
        rate: options.rate * relayShare,
        endpoints: Math.max(leastEndpoints, Math.round(options.endpoints * relayShare)),
      }),
    );
    for (const { load } of lanes) await load.signIn();
    const seconds = options.minutes * 60;
    let isOver = false;
    const running = Promise.all(lanes.map(({ load }) => load.run(seconds))).finally(() => (isOver = true));
    await Promise.all([running, reportUntil(() => isOver, lanes, options)]);
    return (await Promise.all(lanes.map((lane) => finish(lane, options)))).join('; ');
  } finally {
    for (const { load, gateway, pbx } of lanes) {
      load.close();
      await gateway.process.stop();
      await pbx.close();
    }
    workspace.remove();
  }
}

async function openLane(
  workspace: Workspace,
  media: 'passthrough' | 'relay',
  options: CallsOptions,
): Promise<Lane> {
  const phoneSdp = browserSdp(sdpBytes);
  const pbx = await SoakPbx.open(media === 'relay' ? sdp(pbxRtpPort) : phoneSdp);
  const { graceSeconds = 30 } = options;
  const gateway = await startGatewayUnderLoad(workspace, { media, pbxPort: pbx.port, graceSeconds });
  pbx.gatewayPort = gateway.sipPort;
  const { endpoints, rate, seed, talkMs = { least: 2_000, most: 18_000 } } = options;
  const { reconnectEverySeconds = 300, refreshEveryMs } = options;
  const load = new Load({
    ...{ pbx, endpoints, rate, seed, talkMs, reconnectEverySeconds, phoneSdp },
    wsUrl: gateway.wsUrl,
    ...(refreshEveryMs === undefined ? {} : { refreshEveryMs }),
  });
  return { name: media, gateway, pbx, load, memory: new MemoryRecord() };
}

async function reportUntil(
  isOver: () => boolean,
  lanes: readonly Lane[],
  { say, reportEverySeconds = 60 }: CallsOptions,
): Promise<void> {
  const began = performance.now();
  for (let next = reportEverySeconds * 1_000; !isOver(); await delay(100)) {
    if (performance.now() - began < next) continue;
    next += reportEverySeconds * 1_000;
    for (const lane of lanes) say(await report(lane, (performance.now() - began) / 1_000));
  }
}

async function report({ name, gateway, load, memory }: Lane, seconds: number): Promise<string> {
  const sizes = await gateway.inspect();
  const usage = await gateway.process.ask({ collectGarbage: true });
  memory.note(usage);
  const { begun, ended, failed, reconnections, refreshes, ringMs } = load;
  const p99 = ringMs.length === 0 ? '' : `, INVITE to 180 p99 ${percentile(ringMs, 0.99).toFixed(0)} ms`;
  load.ringMs = [];
  return (
    `${(seconds / 60).toFixed(1)} min ${name}: ${begun} calls begun, ${ended} ended, ${failed} failed, ` +
    `${sizes['calls'] ?? 0} up, ${sizes['flows'] ?? 0} flows, ${reconnections} reconnections, ` +
    `${refreshes} refreshes${p99}, ` +
    `RSS ${mebibytes(usage.rssBytes)}, heap ${mebibytes(usage.heapBytes)}`
  );
}

/** Empties it, and looks whether anything is left. */
async function finish(
  { name, gateway, load, memory, pbx }: Lane,
  { say, waitsForTransactions = true }: CallsOptions,
): Promise<string> {
  for (const [what, count] of load.failures) say(`${name}: ${count} x ${what}`);
  load.close();
  const left = await emptied(gateway, waitsForTransactions ? standing : [...standing, ...ofTransactions]);
  const code = await gateway.drain();
  const wrong = [
    load.failed > 0 ? `${load.failed} of ${load.begun} calls, refreshes and changes of sockets failed` : '',
    left === '' ? '' : `tables are not empty: ${left}`,
    pbx.ua.size > 0 ? `the PBX still has ${pbx.ua.size} calls` : '',
    code === 0 ? '' : `it ended with ${code}: ${gateway.process.errors}`,
    memory.growth() ?? '',
  ].filter(Boolean);
  if (wrong.length > 0) throw new Error(`${name}: ${wrong.join('; ')}`);
  return `${name}: ${load.ended} calls, none failed, ${load.reconnections} reconnections, ${load.refreshes} refreshes, tables empty, ${memory.summary}`;
}

async function emptied(gateway: GatewayUnderLoad, but: readonly string[]): Promise<string> {
  const until = performance.now() + emptyWithinMs;
  for (;;) {
    const sizes = Object.entries(await gateway.inspect());
    const left = sizes.filter(([table, size]) => size !== 0 && !but.includes(table));
    if (left.length === 0) return '';
    if (performance.now() > until) return left.map(([table, size]) => `${table} ${size}`).join(', ');
    await delay(200);
  }
}
