import type { Clock } from '../../sip/clock.js';
import type { Hop } from '../../sip/engine/resolve/hop.js';
import type { ListenAddress } from '../../sip/engine/transport/pool.js';
import type { Config, TrunkConfig } from '../config/config.js';
import { openEngineBeside } from '../trunk/engine-beside.js';
import { tlsSettingsOf } from '../trunk/tls-settings.js';
import { trunkOf } from '../trunk/trunk-of.js';
import { TrunkTable } from '../trunk/trunk-table.js';
import { examineCall, type TestCallOptions } from './call-step.js';
import { examineConnection, examineTls } from './connection-steps.js';
import type { Finding } from './finding.js';
import { localAddressTowards } from './local-address.js';
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
  const listen = (own: readonly ListenAddress[] = everywhere) => own.map((at) => ({ ...at, port: 0 }));
  const opened = await openEngineBeside(config, { listen }, clock);
  const { sip } = config;
  const isSecure = sip.engine === 'embedded' && sip.tls !== undefined;
  const settings = isSecure ? tlsSettingsOf(sip.tls, config.trunks) : noCertificate;
  try {
    const { engine, stack } = opened;
    const plain = trunkOf(trunk);
    let firstHop: Hop | undefined;
    for (const host of plain.hosts) {
      const hops = await engine.hopsOf(host.uri);
      firstHop ??= hops[0];
      yield resolved(
        host.uri,
        hops.map(({ transport, address, port }) => `${transport} ${address}:${port}`),
      );
      for (const hop of hops) {
        const connection = await examineConnection(hop);
        if (connection !== undefined) yield connection;
        if (connection?.result === 'failed') continue;
        const tls = await examineTls(hop, settings);
        if (tls !== undefined) yield tls;
      }
      if (hops.length === 0) continue;
      yield await examineOptions(stack, plain, host, wire);
      const registration = await examineRegistration(stack, plain, host, wire, clock);
      if (registration !== undefined) yield registration;
    }
    if (call === undefined || firstHop === undefined) return;
    wire.take();
    const trunks = await TrunkTable.create({
      trunks: [plain],
      dialler: stack,
      find: () => Promise.resolve([]),
      clock,
      unresolved: () => undefined,
    });
    const media = await mediaSideOf(config, firstHop);
    const hasPassword = plain.auth !== undefined;
    yield await examineCall({ trunks, trunk: trunk.name, number: call, media, hasPassword, wire, clock });
    trunks.close();
  } finally {
    wire.close();
    await opened.close();
  }
}

/** That of the relay; other engines are elsewhere: then this machine itself, where the PBX sees it. */
async function mediaSideOf({ media }: Config, hop: Hop): Promise<TestCallOptions['media']> {
  if (media.engine === 'relay') return { address: media.address, ports: media.ports };
  return { address: await localAddressTowards(hop.address), ports: undefined };
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

const noCertificate = { cert: '', key: '' };

const everywhere = [
  { transport: 'udp', address: '0.0.0.0', port: 0 },
  { transport: 'tcp', address: '0.0.0.0', port: 0 },
] as const;
