import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { benchCallSetup } from './call-setup.js';
import { benchCodec } from './codec.bench.js';
import { benchEngines, parseDrachtio, type EngineFigures } from './engine.js';
import { benchMedia, type MediaFigures, type MediaRigName } from './media.js';
import { browserSdp } from './messages.js';
import { readProfile } from './profile.js';
import {
  browserCalls,
  idleMemory,
  logins,
  refreshes,
  trunkCalls,
  type Duration,
  type Result,
} from './scenarios.js';
import { benchStore } from './store.js';
import { table, type Row } from './table.js';
import { startFloor, startGateway, Workspace, type Target } from './target.js';
import { UdpPhone } from './udp-phone.js';

const help = `npm run bench [-- [NAMES] OPTIONS]
  --only NAMES   of codec, login, refresh, call, trunk, store, engine, media, setup, memory; separated by commas
  --seconds N    measured seconds of each figure (10), after ten to warm up
  --profile      also print where the time of each webtrunk figure went
  --drachtio HOST:CONTROL-PORT:SECRET:SIP-PORT[:PID]
                 engine: measure that drachtio-server too; with PID its CPU time counts
`;

interface Bench {
  readonly workspace: Workspace;
  readonly phone: UdpPhone;
  readonly duration: Duration;
  readonly withProfile: boolean;
  readonly rows: Row[];
}

type Scenario = (target: Target, perSecond: number, duration: Duration) => Promise<Result>;

interface Figure {
  readonly name: string;
  readonly title: string;
  readonly perSecond: number;
  readonly targetMs: number;
  readonly scenario: Scenario;
  readonly hasFloor: boolean;
}

const figures: readonly Figure[] = [
  {
    name: 'login',
    title: 'CPU per login at 400/s',
    perSecond: 400,
    targetMs: 0.4,
    scenario: logins,
    hasFloor: true,
  },
  {
    name: 'refresh',
    title: 'CPU per refresh at 500/s',
    perSecond: 500,
    targetMs: 0.12,
    scenario: refreshes,
    hasFloor: true,
  },
  {
    name: 'call',
    title: 'CPU per browser-to-browser call at 200/s',
    perSecond: 200,
    targetMs: 0.6,
    scenario: browserCalls,
    hasFloor: true,
  },
  {
    name: 'trunk',
    title: 'CPU per browser-to-trunk call at 100/s',
    perSecond: 100,
    targetMs: 1.5,
    scenario: trunkCalls,
    hasFloor: false,
  },
];

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** A row in the columns of the report. */
function row(
  figure: string,
  unit: string,
  floor: number | undefined,
  value: number,
  target: number | undefined,
  failed = 0,
): Row {
  const show = (number: number): string => `${number.toFixed(number < 10 ? 2 : 1)} ${unit}`;
  const isReached = target === undefined || (value <= target && failed === 0);
  return {
    figure,
    floor: floor === undefined ? '' : show(floor),
    webtrunk: show(value),
    'to floor': floor === undefined ? '' : `${(value / floor).toFixed(1)} x`,
    target: target === undefined ? '' : show(target),
    'to target': target === undefined ? '' : `${(value / target).toFixed(2)} x`,
    reached: isReached ? 'yes' : 'NO',
    failed: String(failed),
  };
}

const failuresOf = (result: Result): number =>
  [...result.failures.values()].reduce((sum, count) => sum + count, 0);

function report(title: string, result: Result): void {
  const ring =
    result.ringMs === undefined
      ? ''
      : `, INVITE to 180 p50 ${result.ringMs.p50.toFixed(2)} ms, p99 ${result.ringMs.p99.toFixed(2)} ms`;
  say(`  ${title}: ${result.cpuMs.toFixed(3)} ms CPU over ${result.operations} operations${ring}`);
  for (const [why, count] of result.failures) say(`    failed: ${count} x ${why}`);
}

async function withTarget<T>(start: Promise<Target>, use: (target: Target) => Promise<T>): Promise<T> {
  const target = await start;
  try {
    return await use(target);
  } finally {
    await target.stop();
  }
}

async function benchFigure(bench: Bench, figure: Figure): Promise<void> {
  const { workspace, duration, phone, rows } = bench;
  const run = (target: Target): Promise<Result> => figure.scenario(target, figure.perSecond, duration);
  say(figure.title);
  const floor = figure.hasFloor ? await withTarget(startFloor(workspace), run) : undefined;
  if (floor !== undefined) report('floor', floor);
  const result = await withTarget(startGateway(workspace, { phonePort: phone.port }), run);
  report('webtrunk', result);
  const failed = failuresOf(result);
  rows.push(row(figure.title, 'ms', floor?.cpuMs, result.cpuMs, figure.targetMs, failed));
  if (figure.name === 'call' && result.ringMs !== undefined) {
    const { p50, p99 } = result.ringMs;
    rows.push(row('INVITE to 180 at 200 calls/s, p50', 'ms', floor?.ringMs?.p50, p50, 0.5, failed));
    rows.push(row('INVITE to 180 at 200 calls/s, p99', 'ms', floor?.ringMs?.p99, p99, 5, failed));
  }
  if (bench.withProfile) await profileFigure(bench, figure);
}

/** Runs the figure once more under the profiler, whose own cost would spoil the figure. */
async function profileFigure(bench: Bench, figure: Figure): Promise<void> {
  const profileFile = join(bench.workspace.folder, `${figure.name}.cpuprofile`);
  const duration = { ...bench.duration, profileFile };
  await withTarget(startGateway(bench.workspace, { phonePort: bench.phone.port }), (target) =>
    figure.scenario(target, figure.perSecond, duration),
  );
  say('  where the time goes:');
  for (const line of readProfile(profileFile, 30)) say(`    ${line}`);
}

const idleConnections = 8_000;

async function benchMemory(bench: Bench): Promise<void> {
  const { workspace, phone } = bench;
  for (const [kind, target] of [
    ['ws', 18],
    ['wss', 58],
  ] as const) {
    const measure = async (server: Target): Promise<number | undefined> => {
      const url = kind === 'ws' ? server.wsUrl : server.wssUrl;
      return url === undefined ? undefined : (await idleMemory(server, url, idleConnections)) / 1_024;
    };
    say(`memory per idle registered connection, ${kind}`);
    const floor = await withTarget(startFloor(workspace), measure);
    const value = await withTarget(startGateway(workspace, { phonePort: phone.port }), measure);
    if (value === undefined) say('  not measured: openssl is missing, so there is no certificate');
    else bench.rows.push(row(`memory per idle registered connection, ${kind}`, 'KB', floor, value, target));
  }
}

/** Calls through the SIP engine with an application of a few lines, without a gateway. */
async function benchEngine(
  { workspace, rows, duration }: Bench,
  drachtio: string | undefined,
): Promise<void> {
  const server = drachtio === undefined ? undefined : parseDrachtio(drachtio);
  if (drachtio !== undefined && server === undefined) throw new Error(`--drachtio ${drachtio}\n${help}`);
  const seconds = Math.min(duration.measuredSeconds, mostEngineSeconds);
  const figures = await benchEngines({ seconds, folder: workspace.folder, drachtio: server, say });
  if (figures === undefined) return say('calls through the engine: SIPp is not installed');
  rows.push(...figures.flatMap(engineRows));
}

const mostEngineSeconds = 6;

function engineRows({ name, held, cpuMs, cpuRate, shares }: EngineFigures): Row[] {
  const show = (figure: string, webtrunk: string, target = '', isReached = true): Row => ({
    figure: `${name} engine: ${figure}`,
    webtrunk,
    target,
    reached: target === '' ? '' : isReached ? 'yes' : 'NO',
  });
  const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
  const isOurs = shares !== undefined;
  return [
    show('calls/s held', String(held), isOurs ? '500' : '', held >= 500),
    show(`CPU per call at ${cpuRate}/s, with its application`, `${cpuMs.toFixed(2)} ms`),
    ...(isOurs
      ? [
          show(
            'parsing in its time',
            percent(shares.parsingOfEngine),
            '25 %',
            shares.parsingOfEngine <= 0.25,
          ),
          show('parsing in the time of the process', percent(shares.parsing)),
          show('its time in that of the process', percent(shares.engine)),
          show('drachtio-srf and application in that', percent(shares.application)),
        ]
      : []),
  ];
}

/** Calls that one core of the relay is to hold, and the delay that it may add to half as many. */
const mediaTargets = { calls: 400, delayAt: 200, delayMs: 10 };
const mediaSeconds = 4;

async function benchMediaEngines(bench: Bench): Promise<void> {
  const seconds = Math.min(bench.duration.measuredSeconds, mediaSeconds);
  const figures = await benchMedia({ seconds, say });
  const of = (name: MediaRigName) => figures.find(({ engine }) => engine === name);
  const relay = of('relay');
  if (relay !== undefined) bench.rows.push(...mediaRows(relay, of('rtpengine')));
}

function mediaRows(relay: MediaFigures, other: MediaFigures | undefined): Row[] {
  const at = ({ steps }: MediaFigures, calls: number) => steps.find((step) => step.calls === calls);
  const show = (figure: string, pick: (figures: MediaFigures) => number | undefined, unit: string): Row => {
    const [ours, theirs] = [pick(relay) ?? Number.NaN, other && pick(other)];
    const text = (value: number): string => `${value.toFixed(value < 10 ? 2 : 0)} ${unit}`;
    return {
      figure,
      webtrunk: text(ours),
      rtpengine: theirs === undefined ? '' : text(theirs),
      'to rtpengine': theirs === undefined ? '' : `${(ours / theirs).toFixed(1)} x`,
    };
  };
  const { calls, delayAt, delayMs } = mediaTargets;
  const p99 = at(relay, delayAt)?.p99 ?? Number.POSITIVE_INFINITY;
  return [
    {
      ...show('PCMU calls on one core with under 0.1 % loss', ({ held }) => held, 'calls'),
      target: `${calls} calls`,
      reached: relay.held >= calls ? 'yes' : 'NO',
    },
    show(`CPU per call at ${delayAt}`, (one) => at(one, delayAt)?.cpuPerCall, '% of a core'),
    {
      ...show(`delay at ${delayAt} calls, p99`, (one) => at(one, delayAt)?.p99, 'ms'),
      target: `${delayMs} ms`,
      reached: p99 <= delayMs ? 'yes' : 'NO',
    },
    show(`delay at ${delayAt} calls, p50`, (one) => at(one, delayAt)?.p50, 'ms'),
    show('offer to first packet at the phone', (one) => one.setUp?.toPhoneMs, 'ms'),
    show('offer to first packet at the browser', (one) => one.setUp?.toBrowserMs, 'ms'),
  ];
}

async function benchSharedStore({ workspace, phone, duration, rows }: Bench): Promise<void> {
  say('calls with their state in Redis, and without');
  const found = await benchStore(workspace, { phonePort: phone.port, duration, say });
  if (found === undefined) say('  not measured: redis-server is not installed');
  else rows.push(...found);
}

async function benchSetup(): Promise<void> {
  say('from the click on Call in Chromium to the first packets, one call after the other');
  const rows = await benchCallSetup(say);
  say(rows === undefined ? '  not measured: Chromium is not installed' : table(rows));
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: {
      only: { type: 'string' },
      seconds: { type: 'string', default: '10' },
      profile: { type: 'boolean', default: false },
      drachtio: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
    allowPositionals: true,
  });
  if (values.help) return say(help);
  const names = [...(values.only?.split(',') ?? []), ...positionals];
  const only = names.length === 0 ? undefined : names;
  const wants = (name: string): boolean => only === undefined || only.includes(name);
  const [load = 0] = loadavg();
  say(
    `Node ${process.version}, ${cpus().length} cores of ${cpus()[0]?.model ?? 'unknown kind'}, load ${load.toFixed(2)}`,
  );
  if (load > 0.5) say('Something else is running: the figures will be too high.');
  const workspace = new Workspace();
  const phone = await UdpPhone.open(browserSdp(3_000));
  const duration = { warmUpSeconds: 10, measuredSeconds: Number(values.seconds) };
  const bench: Bench = { workspace, phone, duration, withProfile: values.profile, rows: [] };
  try {
    for (const figure of figures) if (wants(figure.name)) await benchFigure(bench, figure);
    const others: Readonly<Record<string, () => Promise<void>>> = {
      store: () => benchSharedStore(bench),
      engine: () => benchEngine(bench, values.drachtio),
      media: () => benchMediaEngines(bench),
      setup: benchSetup,
      memory: () => benchMemory(bench),
    };
    for (const [name, run] of Object.entries(others)) if (wants(name)) await run();
    if (bench.rows.length > 0) say(`\n${table(bench.rows)}`);
    if (wants('codec')) say(table(benchCodec()));
  } finally {
    await phone.close();
    workspace.remove();
  }
}

await main();
