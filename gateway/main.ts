#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../sip/clock.js';
import { startAdminServer, type AdminServer } from './api/admin-server.js';
import { createPublicPages, type PublicPages } from './api/public-pages.js';
import { App } from './app.js';
import type { Config } from './config/config.js';
import type { ConfigChange } from './config/diff.js';
import { loadConfig } from './config/load.js';
import { ConfigError } from './config/problem.js';
import { examine } from './doctor/doctor.js';
import { findingText } from './doctor/print.js';
import { IceAccess } from './ice-access.js';
import { quickStartBanner } from './process/banner.js';
import { checkReport } from './process/check.js';
import { readCommand, type Command } from './process/command.js';
import { pageConfigOf } from './process/page-config-of.js';
import { Reload, type ReloadOutcome } from './process/reload.js';
import { routeReport } from './process/route-report.js';
import { startFailureText } from './process/start-failure.js';
import { Stopping } from './process/stopping.js';
import { usage, UsageError } from './process/usage.js';
import { htdigestLine, readPassword } from './process/user-hash.js';
import { editUser, listUsers } from './process/users-file.js';
import { createEvents, type Events } from './telemetry/events.js';
import { limitedLog } from './telemetry/limited-log.js';
import { createLogger, type Logger } from './telemetry/logger.js';
import { Metrics } from './telemetry/metrics.js';
import { watchTrunks } from './telemetry/trunk-gauges.js';

const closeLimitMs = 5_000;

const exitCodes = { right: 0, failed: 1, wrong: 2 };

async function run(command: Command): Promise<void> {
  switch (command.name) {
    case 'help':
      process.stdout.write(usage);
      return;
    case 'version':
      process.stdout.write(`${version()}\n`);
      return;
    case 'check':
      return check(command.file);
    case 'doctor':
      return doctor(command);
    case 'route':
      return route(command);
    case 'user hash':
      process.stdout.write(`${await newUserLine(command)}\n`);
      return;
    case 'user add':
    case 'user passwd':
    case 'user remove':
      return changeUser(command);
    case 'user list':
      process.stdout.write((await listUsers(command.file)).map((user) => `${user}\n`).join(''));
      return;
    case 'start':
      return start(await loadConfig(command.config, process.env));
  }
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

async function check(file: string): Promise<void> {
  process.stdout.write(await checkReport(file, process.env, systemClock));
}

async function route({ file, ...request }: Extract<Command, { name: 'route' }>): Promise<void> {
  const { text, goesSomewhere } = await routeReport(file, request, process.env, systemClock);
  process.stdout.write(text);
  if (!goesSomewhere) process.exitCode = exitCodes.failed;
}

async function doctor({ file, trunk: name, call }: Extract<Command, { name: 'doctor' }>): Promise<void> {
  const config = await loadConfig(file, process.env);
  const trunks = config.trunks.filter((trunk) => name === undefined || trunk.name === name);
  if (trunks.length === 0) throw new UsageError(`${file} has no trunk ${name ?? ''}`.trim());
  for (const trunk of trunks) {
    process.stdout.write(`${trunk.name}\n`);
    for await (const finding of examine({ config, trunk, call, clock: systemClock })) {
      process.stdout.write(findingText(finding));
      if (finding.result === 'failed') process.exitCode = exitCodes.failed;
    }
  }
}

async function newUserLine({
  user,
  domain,
}: {
  readonly user: string;
  readonly domain: string;
}): Promise<string> {
  const password = await readPassword(process.stdin, (text) => process.stderr.write(text));
  if (password === undefined || password === '') throw new UsageError('no password on standard input');
  return htdigestLine(user, domain, password);
}

type UserChange = Extract<Command, { name: 'user add' | 'user passwd' | 'user remove' }>;

async function changeUser(command: UserChange): Promise<void> {
  const { name, user, domain, file } = command;
  if (name === 'user remove') await editUser(file, user, domain, { action: 'remove' });
  else {
    const action = name === 'user add' ? 'add' : 'passwd';
    await editUser(file, user, domain, { action, line: await newUserLine(command) });
  }
  process.stdout.write(`${file}: ${user}@${domain}; a webtrunk that runs takes it after SIGHUP\n`);
}

/** What runs beside the application and is closed after it. */
interface Running {
  readonly app: App;
  readonly admin: AdminServer;
  readonly pages: PublicPages;
}

async function start(config: Config): Promise<void> {
  const beganMs = systemClock.nowMs();
  const log = createLogger(config.log);
  const metrics = new Metrics({ processMetrics: true });
  const events = createEvents(limitedLog(log, systemClock), metrics);
  const reload = new Reload({
    load: () => loadConfig(config.file, process.env),
    apply: (next) => takeOver(running, next, log),
    events,
  });
  const running = await startParts(config, log, events, metrics, () => reload.run());
  const addresses = addressesOf(running);
  events.started({ addresses, startMs: systemClock.nowMs() - beganMs });
  watchProcess(running, events, log);
  process.on('SIGHUP', () => void reload.run().catch(() => undefined));
  if (config.file === undefined) {
    process.stdout.write(quickStartBanner(config, addresses['pages'] ?? '', addresses['admin'] ?? ''));
  }
}

/** What can be changed while calls are up: see docs/operations.md. */
async function takeOver(
  { app, pages }: Running,
  next: Config,
  log: Logger,
): Promise<readonly ConfigChange[]> {
  const changes = await app.reload(next);
  pages.renew(pageConfigOf(app.config));
  log.setLevel(app.config.log.level);
  return changes;
}

async function startParts(
  config: Config,
  log: Logger,
  events: Events,
  metrics: Metrics,
  reload: () => Promise<ReloadOutcome>,
): Promise<Running> {
  const folder = fileURLToPath(new URL('../web', import.meta.url));
  let inForce = (): Config => config;
  const iceAccess = new IceAccess(() => inForce().ice, systemClock);
  const iceServers = (ticket: string) => iceAccess.servers(ticket);
  const pages = await createPublicPages({ folder, config: pageConfigOf(config), iceServers, events });
  if (!pages.built) log.warn({ folder }, 'the pages were not built: npm run build');
  const app = await App.start(config, { log, events, pages: pages.handler });
  inForce = () => app.config;
  metrics.watchTables(() => app.inspect());
  watchTrunks(metrics, () => app.trunkStatuses);
  metrics.watchCounts(
    'engine_unserved_total',
    'SIP messages that the embedded engine did not serve',
    'cause',
    () => app.unserved(),
  );
  try {
    const { inspection } = app;
    const { admin: listen } = config.listen;
    const admin = await startAdminServer({ listen, inspection, metrics, events, clock: systemClock, reload });
    return { app, admin, pages };
  } catch (cause) {
    await app.close();
    throw cause;
  }
}

function addressesOf({ app, admin }: Running): Record<string, string> {
  const host = admin.address.includes(':') ? `[${admin.address}]` : admin.address;
  const { pages, sip } = app.addresses;
  return { pages: pages.join(' '), sip: sip.join(' '), admin: `http://${host}:${admin.port}` };
}

function watchProcess({ app, admin, pages }: Running, events: Events, log: Logger): void {
  const stopping = new Stopping({
    stoppable: {
      get calls() {
        return app.inspect()['calls'] ?? 0;
      },
      drain: () => app.drain(),
      async close() {
        await app.close();
        await admin.close();
        await pages.close();
      },
    },
    events,
    clock: systemClock,
    drainLimitMs: () => app.config.drain.limitMs,
    closeLimitMs,
    exit(code) {
      log.flush();
      process.exit(code);
    },
  });
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stopping.signal(name));
  process.on('uncaughtException', (error) => stopping.defect('uncaught_exception', error));
  process.on('unhandledRejection', (error) => stopping.defect('unhandled_rejection', error));
}

function fail(thrown: unknown): void {
  if (thrown instanceof UsageError) {
    process.stderr.write(`webtrunk: ${thrown.message}\n\n${usage}`);
    process.exitCode = exitCodes.wrong;
  } else if (thrown instanceof ConfigError) {
    process.stderr.write(`${thrown.message}\n`);
    process.exitCode = exitCodes.wrong;
  } else {
    process.stderr.write(`webtrunk cannot start: ${startFailureText(thrown)}\n`);
    process.exitCode = exitCodes.failed;
  }
}

try {
  await run(readCommand(process.argv.slice(2)));
} catch (thrown) {
  fail(thrown);
}
