import type { Clock } from '../../sip/clock.js';
import type { RehearsedMessage } from '../../sip/engine/transport/rehearsed-channel.js';
import { silentLog } from '../../sip/log.js';
import type { CallSource } from '../call/ports.js';
import type { Config } from '../config/config.js';
import { createCredentials } from '../create-credentials.js';
import { createMedia } from '../create-media.js';
import { createDecider, createRouter } from '../create-router.js';
import type { Binding } from '../location/location.js';
import { escapedUser } from '../routing/number-rule.js';
import { createEvents } from '../telemetry/events.js';
import { createLogger } from '../telemetry/logger.js';
import { Metrics } from '../telemetry/metrics.js';
import { chance } from '../trunk/chance.js';
import { trunkOf } from '../trunk/trunk-of.js';
import { TrunkTable } from '../trunk/trunk-table.js';
import { TrunkUpkeeps } from '../trunk/trunk-upkeeps.js';
import { rehearseCall, type RehearsedCall } from './rehearse-call.js';
import { openRehearsedEngine } from './rehearsed-engine.js';

/** A call that is only rehearsed. */
export interface RehearsalRequest {
  readonly dialled: string;
  /** A user, with or without domain; for a call from a trunk the calling number. */
  readonly as: string | undefined;
  readonly fromTrunk: string | undefined;
  /** Milliseconds since the Unix epoch. */
  readonly atMs: number;
}

/** The request names somebody whom the configuration does not know. */
export class UnknownCaller extends Error {
  override readonly name = 'UnknownCaller';
}

/**
 * Rehearses a call with the parts that the gateway is made of, beside one that may be running: real routes, real names, a real
 * media engine; but no INVITE leaves. Throws {@link UnknownCaller}, or a SipFailure when nothing was dialled.
 */
export async function rehearse(
  written: Config,
  request: RehearsalRequest,
  clock: Clock,
): Promise<RehearsedCall> {
  const config = inOneProcess(written);
  const call = callOf(config, request);
  const output = { write: (): void => undefined };
  const events = createEvents(createLogger({ level: 'silent', format: 'json', output }), new Metrics());
  let hear: ((message: RehearsedMessage) => void) | undefined;
  const notes: string[] = [];
  const routingHookFailed = ({ why }: { readonly why: string }): void =>
    void notes.push(`the routing hook failed: ${why}`);
  const decider = await createDecider(config, { routingHookFailed }, clock);
  const engine = await openRehearsedEngine(config, (message) => hear?.(message), clock);
  const media = createMedia(config, events, silentLog, clock);
  const trunks = config.trunks.map(trunkOf);
  const upkeeps = new TrunkUpkeeps(trunks, { asker: engine.stack, events, clock, chance });
  const table = await TrunkTable.create({
    trunks,
    dialler: engine.stack,
    find: () => Promise.resolve([]),
    clock,
    unresolved: () => undefined,
    upkeepOf: (name) => upkeeps.of(name),
    full: () => undefined,
  });
  const router = createRouter(config, {
    trunks: table,
    credentials: createCredentials(config),
    location: { find: (aor) => [someDevice(aor)] },
    endpoints: { find: () => undefined },
    clock,
    decider,
  });
  try {
    const hears = (sent: (message: RehearsedMessage) => void): void => {
      hear = sent;
    };
    const rehearsed = await rehearseCall(call, request.atMs, { router, media, clock, hear: hears });
    return { ...rehearsed, notes };
  } finally {
    table.close();
    await upkeeps.close();
    await engine.close();
    await media.close();
  }
}

/** A rehearsal carries no audio. */
function inOneProcess(config: Config): Config {
  const { media } = config;
  return media.engine === 'relay' ? { ...config, media: { ...media, processes: 0 } } : config;
}

function callOf(config: Config, { dialled, as, fromTrunk }: RehearsalRequest) {
  const [first] = config.domains;
  const user = escapedUser(dialled);
  if (fromTrunk !== undefined) {
    const trunk = config.trunks.find(({ name }) => name === fromTrunk);
    if (trunk === undefined) throw new UnknownCaller(`there is no trunk ${fromTrunk}`);
    const media = { profile: 'plain' } as const;
    const source: CallSource = { side: 'trunk', trunk: fromTrunk, remote: 'rehearsal', media };
    const from =
      as === undefined ? 'sip:anonymous@anonymous.invalid' : `sip:${escapedUser(as)}@trunk.invalid`;
    return { requestUri: `sip:${user}@${first?.name ?? 'localhost'}`, from, source };
  }
  if (as === undefined) throw new UnknownCaller('say who calls: --as USER, or --from-trunk TRUNK');
  const aor = aorOf(config, as);
  const source: CallSource = { side: 'browser', aor, endpointId: 'e_rehearsal' };
  return { requestUri: `sip:${user}@${aor.slice(aor.lastIndexOf('@') + 1)}`, from: aor, source };
}

/** The address-of-record of a user of the configuration; of the first domain that has it when none is named. */
function aorOf(config: Config, as: string): string {
  const [name = '', domain] = as.split('@');
  const credentials = createCredentials(config);
  const found = config.domains.find(
    (one) => (domain === undefined || one.name === domain) && credentials.find(name, one.name) !== undefined,
  );
  if (found === undefined) throw new UnknownCaller(`there is no user ${as}`);
  return `sip:${escapedUser(name)}@${found.name}`;
}

/** Which devices are online only the running gateway knows. */
function someDevice(aor: string): Binding {
  return {
    aor,
    contactUri: aor,
    contactParams: '',
    path: [],
    expiresAtMs: 0,
    sipCallId: '',
    cseq: 0,
    endpointId: '',
  };
}
