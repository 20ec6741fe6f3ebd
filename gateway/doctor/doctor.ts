import { randomBytes } from 'node:crypto';
import type { Clock } from '../../sip/clock.js';
import { startEngine, type Engine } from '../../sip/engine/engine.js';
import { silentLog } from '../../sip/log.js';
import { connectTrunkStack, type TrunkStack } from '../../sip/trunk/srf.js';
import type { Config, TrunkConfig } from '../config/config.js';
import { tlsSettingsOf } from '../trunk/tls-settings.js';
import { trunkOf } from '../trunk/trunk-of.js';
import { TrunkTable } from '../trunk/trunk-table.js';
import { examineCall } from './call-step.js';
import { examineConnection, examineTls } from './connection-steps.js';
import type { Finding } from './finding.js';
import { examineRegistration } from './register-step.js';
import { examineOptions } from './request-steps.js';
import { WireNotes } from './wire-notes.js';

export interface DoctorOptions {
  readonly config: Config;
  readonly trunk: TrunkConfig;
  /** A number to call, to send a tone and to listen; undefined: no call is made. */
  readonly call: string | undefined;
  readonly clock: Clock;
}

/**
 * Examines one trunk step by step, with an engine of its own beside the one that may be running: the names of its hosts,
 * connections, certificates, OPTIONS, and a call if asked for. What a step finds comes as soon as it is known.
 */
export async function* examine(options: DoctorOptions): AsyncGenerator<Finding> {
  const { config, trunk, call, clock } = options;
  const wire = new WireNotes();
  const opened = await open(config, clock);
  try {
    const { engine, stack } = opened;
    const plain = trunkOf(trunk);
    for (const host of plain.hosts) {
      const hops = await engine.hopsOf(host.uri);
      yield resolved(
        host.uri,
        hops.map(({ transport, address, port }) => `${transport} ${address}:${port}`),
      );
      for (const hop of hops) {
        const connection = await examineConnection(hop);
        if (connection !== undefined) yield connection;
        if (connection?.result === 'failed') continue;
        const tls = await examineTls(hop, opened.tls ?? { cert: '', key: '' });
        if (tls !== undefined) yield tls;
      }
      if (hops.length === 0) continue;
      yield await examineOptions(stack, plain, host, wire);
      const registration = await examineRegistration(stack, plain, host, wire, clock);
      if (registration !== undefined) yield registration;
    }
    if (call === undefined) return;
    wire.take();
    const trunks = await TrunkTable.create({
      trunks: [plain],
      dialler: stack,
      find: () => Promise.resolve([]),
      clock,
      unresolved: () => undefined,
    });
    const mediaAddress = config.media.engine === 'relay' ? config.media.address : '0.0.0.0';
    yield await examineCall({ trunks, trunk: trunk.name, number: call, mediaAddress, wire, clock });
    trunks.close();
  } finally {
    wire.close();
    await opened.close();
  }
}

function resolved(uri: string, hops: readonly string[]): Finding {
  if (hops.length > 0) return { step: 'resolve', result: 'ok', says: `${uri} leads to`, details: hops };
  return {
    step: 'resolve',
    result: 'failed',
    says: `${uri} leads nowhere`,
    cause:
      'The name is unknown, or its addresses are not of a kind that sip.embedded.listen has (transport, IPv4 or IPv6).',
    change: 'Correct the name in hosts, give sip.embedded.name_servers, or listen on that transport.',
  };
}

const everywhere = [
  { transport: 'udp', address: '0.0.0.0', port: 0 },
  { transport: 'tcp', address: '0.0.0.0', port: 0 },
] as const;

interface Opened {
  readonly engine: Engine;
  readonly stack: TrunkStack;
  readonly tls: ReturnType<typeof tlsSettingsOf> | undefined;
  close(): Promise<void>;
}

/** An engine with the transports of the configuration, on ports of its own. */
async function open({ sip, trunks }: Config, clock: Clock): Promise<Opened> {
  const own = sip.engine === 'embedded' ? sip : undefined;
  const tls = own?.tls === undefined ? undefined : tlsSettingsOf(own.tls, trunks);
  const secret = randomBytes(32).toString('hex');
  const engine = await startEngine({
    listen: own?.listen.map((at) => ({ ...at, port: 0 })) ?? everywhere,
    ...(own?.externalAddress === undefined ? {} : { externalAddress: own.externalAddress }),
    ...(own?.nameServers === undefined ? {} : { nameServers: own.nameServers }),
    ...(tls === undefined ? {} : { tls }),
    secret,
    log: silentLog,
    clock,
  });
  let connected = (): void => undefined;
  const ready = new Promise<void>((resolve) => (connected = resolve));
  const stack = connectTrunkStack(
    { host: '127.0.0.1', port: engine.controlPort, secret },
    {
      incomingCall: ({ leg }) => leg.hangUp(),
      request: (request) => request.respond(405),
      isKnown: () => true,
      turnedAway: () => undefined,
      frameTooLarge: () => undefined,
      connected,
      disconnected: () => undefined,
    },
    silentLog,
    clock,
  );
  await ready;
  const close = async (): Promise<void> => {
    await stack.close();
    await engine.close();
  };
  return { engine, stack, tls, close };
}
