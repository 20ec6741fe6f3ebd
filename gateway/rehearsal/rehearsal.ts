import type { Clock } from '../../sip/clock.js';
import type { RehearsedMessage } from '../../sip/engine/transport/rehearsed-channel.js';
import { silentLog } from '../../sip/log.js';
import type { Config } from '../config/config.js';
import { createCredentials } from '../create-credentials.js';
import { createMedia } from '../create-media.js';
import { createDecider, createRouter } from '../create-router.js';
import { FraudGuard } from '../fraud/fraud-guard.js';
import { guardedRouter } from '../fraud/guarded-router.js';
import type { Binding } from '../location/location.js';
import { createPbxRouter } from '../pbx-domain/pbx-router.js';
import { createEvents } from '../telemetry/events.js';
import { createLogger } from '../telemetry/logger.js';
import { Metrics } from '../telemetry/metrics.js';
import { chance } from '../trunk/chance.js';
import { trunkOf } from '../trunk/trunk-of.js';
import { TrunkTable } from '../trunk/trunk-table.js';
import { TrunkUpkeeps } from '../trunk/trunk-upkeeps.js';
import { rehearseCall, type RehearsedCall } from './rehearse-call.js';
import { openRehearsedEngine } from './rehearsed-engine.js';
import { rehearsedSource, type RehearsalRequest } from './rehearsed-source.js';

/**
 * Rehearses a call with the parts that the gateway is made of, beside one that may be running: real routes, real names, a real
 * media engine; but no INVITE leaves. Throws an UnknownCaller, or a SipFailure when nothing was dialled.
 */
export async function rehearse(
  written: Config,
  request: RehearsalRequest,
  clock: Clock,
): Promise<RehearsedCall> {
  const config = inOneProcess(written);
  const call = rehearsedSource(config, request);
  const output = { write: (): void => undefined };
  const events = createEvents(createLogger({ level: 'silent', format: 'json', output }), new Metrics());
  let hear: ((message: RehearsedMessage) => void) | undefined;
  const notes = [...call.notes];
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
  const routes = createRouter(config, {
    trunks: table,
    credentials: createCredentials(config),
    location: { find: (aor) => [someDevice(aor)] },
    endpoints: { find: () => undefined },
    clock,
    decider,
  });
  const guard = new FraudGuard(() => config.limits.fraud, clock);
  const router = createPbxRouter(guardedRouter(routes, guard), {
    trunks: table,
    contacts: call.contacts,
    endpoints: { find: () => undefined },
    trunkOf: (domain) => config.domains.find(({ name }) => name === domain)?.pbxTrunk,
  });
  try {
    const hears = (sent: (message: RehearsedMessage) => void): void => {
      hear = sent;
    };
    const rehearsed = await rehearseCall(call, request.atMs, { router, media, clock, hear: hears });
    return { ...rehearsed, notes: [...notes, ...(rehearsed.explained.notes ?? [])] };
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
