import { failure, type SipFailure } from '../../sip/failure.js';
import { newId, type SipRequest } from '../../sip/message/index.js';
import { EndpointCore } from '../../sip/ua/endpoint-core.js';
import { whenReady } from '../awaitable.js';
import type { Binding, Location } from '../location/location.js';
import type { EdgeEvents, UnregisterCause } from '../telemetry/edge-events.js';
import { Endpoint, type EndpointSizes, type EndpointSurroundings } from './endpoint.js';
import type { EndpointFlow } from './endpoint-flow.js';
import type { EndpointIdentity } from './endpoint-identity.js';
import { GraceQueue } from './grace-queue.js';

export interface EndpointTableOptions extends Omit<EndpointSurroundings, 'createStack' | 'events'> {
  /** How long an endpoint waits for its next flow (`websocket.resume_grace`). */
  readonly graceMs: number;
  readonly location: Location;
  readonly events: Pick<EdgeEvents, 'endpointResumed' | 'endpointLost' | 'unregistered' | 'messageRefused'>;
  /** An endpoint is gone for good. */
  readonly removed?: (endpoint: Endpoint) => void;
  /** An endpoint has a new flow in place of one that it lost, or that another has replaced. */
  readonly resumed?: (endpoint: Endpoint) => void;
  /** Makes the SIP core of one endpoint; sip.js by default. */
  readonly createStack?: EndpointSurroundings['createStack'];
}

/** How long a page that said good-bye (WebSocket close code 1001) may take to come back: long enough for a reload. */
const reloadGraceMs = 10_000;

/**
 * Every endpoint, with and without flow. An endpoint is added when its first flow has authenticated and removed when its
 * grace without a flow is over, or at once when it has neither bindings nor calls.
 */
export class EndpointTable {
  readonly #byId = new Map<string, Endpoint>();
  readonly #byKey = new Map<string, Endpoint>();
  /** Endpoints that have lost their flow. */
  readonly #lost: GraceQueue;
  /** Endpoints whose page was left: it is being reloaded, or gone for good. */
  readonly #left: GraceQueue;
  readonly #surroundings: EndpointSurroundings;

  constructor(private readonly options: EndpointTableOptions) {
    const { log, clock, hooks, events, createStack, graceMs } = options;
    const over = (endpoint: Endpoint): void => this.#endGrace(endpoint);
    this.#lost = new GraceQueue(clock, graceMs, over);
    this.#left = new GraceQueue(clock, Math.min(graceMs, reloadGraceMs), over);
    this.#surroundings = {
      log,
      clock,
      hooks,
      events,
      createStack: createStack ?? ((stackOptions) => new EndpointCore(stackOptions)),
    };
  }

  find(endpointId: string): Endpoint | undefined {
    return this.#byId.get(endpointId);
  }

  get size(): number {
    return this.#byId.size;
  }

  /** Users that have a call, whether their endpoint has a flow or not. Looks at every endpoint. */
  callingAors(): ReadonlySet<string> {
    const calling = new Set<string>();
    for (const endpoint of this.#byId.values()) if (endpoint.calling) calling.add(endpoint.aor);
    return calling;
  }

  /** Whether a flow that signs in so would go on with a call. */
  isCalling(identity: EndpointIdentity): boolean {
    return this.#byKey.get(keyOf(identity) ?? '')?.calling === true;
  }

  all(): Iterable<Endpoint> {
    return this.#byId.values();
  }

  /**
   * Attaches a flow that has just authenticated: to the endpoint of the same address-of-record and instance, else to a new
   * one. Without an instance-id the contact stands in for it: then a flow that is still open is only replaced when the
   * contact is one that no two clients share.
   */
  attach(flow: EndpointFlow, identity: EndpointIdentity): Endpoint {
    const key = keyOf(identity);
    const known = key === undefined ? undefined : this.#byKey.get(key);
    if (known === undefined) return this.#create(flow, key ?? privateKey(identity, flow), identity);
    const mayReplace = identity.instanceId !== undefined || identity.contactIsRandom;
    if (known.attached && !mayReplace) return this.#create(flow, privateKey(identity, flow), identity);
    return this.#resume(known, flow);
  }

  /**
   * The endpoint of an earlier process: the one that its client has here already, else a new one that waits in its grace
   * for a flow.
   */
  adopt(id: string, identity: EndpointIdentity): Endpoint {
    const key = keyOf(identity) ?? id;
    const known = this.#byKey.get(key) ?? this.#byId.get(id);
    if (known !== undefined) return known;
    const endpoint = this.#add(new Endpoint(id, key, identity, this.#surroundings));
    this.#lost.add(endpoint);
    return endpoint;
  }

  /**
   * Attaches a flow, authenticated as `aor`, by a request in a dialog: to the endpoint of that user which has the dialog,
   * has lost its flow and never showed an instance-id. Undefined when there is none.
   */
  attachToDialog(flow: EndpointFlow, aor: string, request: SipRequest): Endpoint | undefined {
    for (const endpoint of [...this.#lost.endpoints(), ...this.#left.endpoints()]) {
      if (endpoint.aor !== aor || endpoint.identity.instanceId !== undefined) continue;
      if (endpoint.hasDialog(request)) return this.#resume(endpoint, flow);
    }
    return undefined;
  }

  /**
   * A flow that is attached to `endpoint` registers as `identity`. Gives the endpoint that the flow belongs to from now on:
   * the same, or, when it only now shows an instance-id, that instance's. Refuses another user or another instance.
   */
  reidentify(endpoint: Endpoint, flow: EndpointFlow, identity: EndpointIdentity): Endpoint | SipFailure {
    if (identity.aor !== endpoint.aor) {
      return failure('auth.identity', { detail: `the flow has signed in as ${endpoint.aor}` });
    }
    const { instanceId } = endpoint.identity;
    if (identity.instanceId === undefined || identity.instanceId === instanceId) return endpoint;
    if (instanceId !== undefined) {
      return failure('auth.identity', { detail: 'the flow has signed in as another instance' });
    }
    if (!endpoint.idle) return endpoint;
    this.#remove(endpoint);
    return this.attach(flow, identity);
  }

  /** Notes whether bindings point to the endpoint. Those of an endpoint that has gone meanwhile are removed again. */
  noteBound(endpoint: Endpoint, bound: boolean): void {
    endpoint.bound = bound;
    if (bound && !this.#byId.has(endpoint.id)) this.#unbind(endpoint, 'endpoint_lost');
  }

  /** Ends the registration of an endpoint; its flow and its calls stay. */
  signOut(endpoint: Endpoint, cause: UnregisterCause): void {
    endpoint.bound = false;
    this.#unbind(endpoint, cause);
  }

  /** The flow has closed. Ignored when the endpoint has another one by now. */
  detach(endpoint: Endpoint, flow: EndpointFlow): void {
    if (endpoint.flow !== flow || !this.#byId.has(endpoint.id)) return;
    endpoint.detach();
    if (!endpoint.bound && endpoint.idle) return this.#remove(endpoint);
    const queue = flow.goneAway ? this.#left : this.#lost;
    queue.add(endpoint);
  }

  sizes(): Record<'endpoints' | 'detached' | keyof EndpointSizes, number> {
    const total = { cores: 0, transactions: 0, dialogs: 0, legs: 0, subscriptions: 0, unsent: 0 };
    for (const endpoint of this.#byId.values()) {
      const sizes = endpoint.sizes();
      total.cores += sizes.cores;
      total.transactions += sizes.transactions;
      total.dialogs += sizes.dialogs;
      total.legs += sizes.legs;
      total.subscriptions += sizes.subscriptions;
      total.unsent += sizes.unsent;
    }
    return { endpoints: this.#byId.size, detached: this.#lost.size + this.#left.size, ...total };
  }

  /** Disposes of every endpoint; bindings stay in the location store. Idempotent. */
  close(): void {
    this.#lost.close();
    this.#left.close();
    for (const endpoint of [...this.#byId.values()]) this.#remove(endpoint);
  }

  #create(flow: EndpointFlow, key: string, identity: EndpointIdentity): Endpoint {
    const endpoint = this.#add(new Endpoint(newId('e_'), key, identity, this.#surroundings));
    endpoint.attach(flow);
    return endpoint;
  }

  #add(endpoint: Endpoint): Endpoint {
    this.#byId.set(endpoint.id, endpoint);
    this.#byKey.set(endpoint.key, endpoint);
    return endpoint;
  }

  #resume(endpoint: Endpoint, flow: EndpointFlow): Endpoint {
    this.#awaitNoFlow(endpoint);
    const previous = endpoint.attach(flow);
    previous?.replaced();
    this.options.events.endpointResumed({
      aor: endpoint.aor,
      endpointId: endpoint.id,
      flowId: flow.id,
      replaced: previous !== undefined,
    });
    this.options.resumed?.(endpoint);
    return endpoint;
  }

  #remove(endpoint: Endpoint): void {
    this.#byId.delete(endpoint.id);
    if (this.#byKey.get(endpoint.key) === endpoint) this.#byKey.delete(endpoint.key);
    this.#awaitNoFlow(endpoint);
    endpoint.dispose();
    this.options.removed?.(endpoint);
  }

  #awaitNoFlow(endpoint: Endpoint): void {
    this.#lost.delete(endpoint);
    this.#left.delete(endpoint);
  }

  #endGrace(endpoint: Endpoint): void {
    this.options.events.endpointLost({ aor: endpoint.aor, endpointId: endpoint.id });
    this.#remove(endpoint);
    this.#unbind(endpoint, 'endpoint_lost');
  }

  #unbind({ aor, id }: Endpoint, cause: UnregisterCause): void {
    let lost: readonly Binding[] = [];
    const edited = this.options.location.update(aor, (current) => {
      lost = current.filter((binding) => binding.endpointId === id);
      return current.filter((binding) => binding.endpointId !== id);
    });
    const report = (): void => {
      for (const { contactUri } of lost) {
        this.options.events.unregistered({ aor, endpointId: id, contactUri, cause });
      }
    };
    Promise.resolve(whenReady(edited, report)).catch((err: unknown) => {
      this.options.log.error({ aor, endpointId: id, err }, 'bindings of an endpoint were not removed');
    });
  }
}

function keyOf({ aor, instanceId, contact }: EndpointIdentity): string | undefined {
  if (instanceId !== undefined) return `${aor} ${instanceId}`;
  return contact === undefined ? undefined : `${aor} ${contact}`;
}

/** A key that no other flow can ask for. */
function privateKey({ aor }: EndpointIdentity, flow: EndpointFlow): string {
  return `${aor} ${flow.id}`;
}
