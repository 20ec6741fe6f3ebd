import type {
  BindingRow,
  CallRow,
  EndpointRow,
  FlowRow,
  Inspection,
  RegistrationRow,
  RowSource,
  TrunkRow,
} from './api/inspection.js';
import type { Call } from './call/call.js';
import type { CallTable } from './call/call-table.js';
import type { TrunkConfig } from './config/config.js';
import type { Flow } from './edge/flow.js';
import type { FlowTable } from './edge/flow-table.js';
import type { Endpoint } from './endpoint/endpoint.js';
import type { EndpointTable } from './endpoint/endpoint-table.js';
import type { Binding } from './location/location.js';
import type { TrunkStatus } from './trunk/trunk-upkeep.js';

/** The parts that are looked at. Those that do not exist before the start are asked for each time. */
export interface InspectedParts {
  ready(): boolean;
  sizes(): Readonly<Record<string, number>>;
  flows(): FlowTable | undefined;
  readonly endpoints: EndpointTable;
  readonly location: { readonly size: number; all(): Iterable<Binding> };
  calls(): CallTable | undefined;
  readonly trunks: readonly TrunkConfig[];
  trunkStatus(name: string): TrunkStatus | undefined;
}

/** Shows the tables of the running parts as rows. */
export function createInspection(parts: InspectedParts): Inspection {
  const { endpoints, location, trunks } = parts;
  return {
    get ready() {
      return parts.ready();
    },
    sizes: () => parts.sizes(),
    tables: {
      flows: source(
        () => parts.flows()?.size ?? 0,
        () => parts.flows()?.all() ?? [],
        flowRow,
      ),
      endpoints: source(
        () => endpoints.size,
        () => endpoints.all(),
        endpointRow,
      ),
      bindings: source(
        () => location.size,
        () => location.all(),
        bindingRow,
      ),
      calls: source(
        () => parts.calls()?.size ?? 0,
        () => parts.calls()?.all() ?? [],
        callRow,
      ),
      trunks: source(
        () => trunks.length,
        () => trunks,
        (trunk) => trunkRow(trunk, parts.trunkStatus(trunk.name)),
      ),
    },
  };
}

function source<Part, Row>(
  size: () => number,
  parts: () => Iterable<Part>,
  rowOf: (part: Part) => Row,
): RowSource<Row> {
  return {
    get size() {
      return size();
    },
    *rows() {
      for (const part of parts()) yield rowOf(part);
    },
  };
}

const iso = (epochMs: number): string => new Date(epochMs).toISOString();

function flowRow({ id, remote, transport, openedAtMs, endpoint }: Flow): FlowRow {
  return {
    flowId: id,
    remote,
    transport,
    openedAt: iso(openedAtMs),
    endpointId: endpoint?.id ?? null,
    aor: endpoint?.aor ?? null,
  };
}

function endpointRow({ id, aor, identity, flow, bound }: Endpoint): EndpointRow {
  return { endpointId: id, aor, instanceId: identity.instanceId ?? null, flowId: flow?.id ?? null, bound };
}

function bindingRow({ aor, contactUri, endpointId, expiresAtMs, userAgent }: Binding): BindingRow {
  return { aor, contactUri, endpointId, expiresAt: iso(expiresAtMs), userAgent: userAgent ?? null };
}

function callRow({ id, state, source: { side }, incoming, calleeLabel, startedMs }: Call): CallRow {
  return {
    callId: id,
    state,
    side,
    from: incoming.from.uri,
    dialled: incoming.requestUri,
    callee: calleeLabel ?? null,
    startedAt: iso(startedMs),
  };
}

function trunkRow({ name, type }: TrunkConfig, status: TrunkStatus | undefined): TrunkRow {
  const { hosts = [], registration, channels = { in: 0, out: 0 } } = status ?? {};
  return {
    name,
    type,
    hosts: hosts.map(({ uri, state, sinceMs, lastAnswer }) => ({
      uri,
      state,
      since: iso(sinceMs),
      lastAnswer: lastAnswer ?? null,
    })),
    registration: registration === undefined ? null : registrationRow(registration),
    channels,
  };
}

function registrationRow(registration: NonNullable<TrunkStatus['registration']>): RegistrationRow {
  const { state, sinceMs, host, lastAnswer, expiresAtMs, nextTryMs } = registration;
  return {
    state,
    since: iso(sinceMs),
    host,
    lastAnswer: lastAnswer ?? null,
    expiresAt: expiresAtMs === undefined ? null : iso(expiresAtMs),
    nextTryAt: nextTryMs === undefined ? null : iso(nextTryMs),
  };
}
