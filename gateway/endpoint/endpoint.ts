import type { Clock } from '../../sip/clock.js';
import type {
  CalleeLeg,
  CalleeListener,
  IncomingCall,
  InDialogResponse,
  Invitation,
  Leg,
  LegListener,
  OutOfDialogRequest,
} from '../../sip/leg.js';
import type { SipFailure } from '../../sip/failure.js';
import type { Log } from '../../sip/log.js';
import type { SipMessage, SipRequest } from '../../sip/message/index.js';
import type { EndpointCore } from '../../sip/ua/endpoint-core.js';
import type { EndpointCoreOptions, EndpointCoreSizes } from '../../sip/ua/endpoint-core-options.js';
import type { RestorableLeg } from '../../sip/ua/restored-leg.js';
import type { EdgeEvents } from '../telemetry/edge-events.js';
import type { EndpointFlow } from './endpoint-flow.js';
import type { EndpointIdentity } from './endpoint-identity.js';

/** What call control does with an endpoint's requests. */
export interface EndpointHooks {
  incomingCall(endpoint: Endpoint, call: IncomingCall): void;
  request(endpoint: Endpoint, request: OutOfDialogRequest): void;
}

/** The part of the SIP core that an endpoint uses. */
export type EndpointStack = Pick<
  EndpointCore,
  'receive' | 'hasDialog' | 'resume' | 'invite' | 'restore' | 'request' | 'sizes' | 'dispose'
>;

/** Sizes of an endpoint's tables; `cores` is 1 once it has a SIP core. */
export interface EndpointSizes extends EndpointCoreSizes {
  readonly cores: number;
}

export interface EndpointSurroundings {
  readonly log: Log;
  readonly clock: Clock;
  readonly hooks: EndpointHooks;
  readonly events: Pick<EdgeEvents, 'messageRefused'>;
  createStack(options: EndpointCoreOptions): EndpointStack;
}

/**
 * One authenticated user-agent instance (DESIGN §2). Outlives its flows: its SIP core has one transport for life, which
 * writes to whatever flow is attached. The core is made by the first request that needs it, so that an endpoint that is
 * only registered stays small.
 */
export class Endpoint {
  readonly aor: string;
  /** At least one binding points here; written by the endpoint table. */
  bound = false;
  #stack: EndpointStack | undefined;
  #flow: EndpointFlow | undefined;

  constructor(
    /** `e_…` */
    readonly id: string,
    /** By which the endpoint table knows it. */
    readonly key: string,
    readonly identity: EndpointIdentity,
    private readonly surroundings: EndpointSurroundings,
  ) {
    this.aor = identity.aor;
  }

  get flow(): EndpointFlow | undefined {
    return this.#flow;
  }

  /** `address:port` of its flow; undefined while it waits for one. */
  get remote(): string | undefined {
    return this.#flow?.remote;
  }

  /** False while the endpoint waits, in its grace, for a flow to come back. */
  get attached(): boolean {
    return this.#flow !== undefined;
  }

  /** The endpoint has a call, or one that begins or ends. */
  get calling(): boolean {
    const sizes = this.#stack?.sizes();
    return sizes !== undefined && sizes.dialogs + sizes.legs > 0;
  }

  /** Nothing would be lost with this endpoint but its bindings. */
  get idle(): boolean {
    const sizes = this.#stack?.sizes();
    return sizes === undefined || sizes.transactions + sizes.dialogs + sizes.legs === 0;
  }

  /** The request belongs to a call that the endpoint has. */
  hasDialog(request: SipRequest): boolean {
    return this.#stack?.hasDialog(request) ?? false;
  }

  /** Takes a message that has passed the ingress gates. */
  receive(message: SipMessage): void {
    this.#core().receive(message);
  }

  /** Calls the user agent at one of its contacts. */
  invite(contactUri: string, invitation: Invitation, listener: CalleeListener): CalleeLeg {
    return this.#core().invite(contactUri, invitation, listener);
  }

  /** Goes on with a leg of an earlier process. */
  restore(leg: RestorableLeg, listener: LegListener): Leg {
    return this.#core().restore(leg, listener);
  }

  /** Sends a request outside any dialog (MESSAGE, NOTIFY …) to one of its contacts. */
  request(...call: Parameters<EndpointStack['request']>): Promise<InDialogResponse> {
    return this.#core().request(...call);
  }

  /** Writes to `flow` from now on, beginning with what has waited for it. Gives the flow that was attached before. */
  attach(flow: EndpointFlow): EndpointFlow | undefined {
    const previous = this.#flow;
    this.#flow = flow;
    this.#stack?.resume();
    return previous;
  }

  /** The flow has gone; what is sent from now on waits in the core for the next one. */
  detach(): void {
    this.#flow = undefined;
  }

  sizes(): EndpointSizes {
    const sizes = this.#stack?.sizes();
    return sizes === undefined
      ? { cores: 0, transactions: 0, dialogs: 0, legs: 0, subscriptions: 0, unsent: 0 }
      : { cores: 1, ...sizes };
  }

  /** Ends every leg of the endpoint with `endpoint.lost`, without a word to the client. Idempotent. */
  dispose(): void {
    const stack = this.#stack;
    this.#stack = undefined;
    this.#flow = undefined;
    stack?.dispose();
  }

  /** The SIP core has refused a request by itself. */
  #refused({ method, callId: sipCallId }: SipRequest, reason: SipFailure): void {
    const { id: flowId = '', remote = '' } = this.#flow ?? {};
    this.surroundings.events.messageRefused({ flowId, remote, method, sipCallId, failure: reason });
  }

  #core(): EndpointStack {
    this.#stack ??= this.surroundings.createStack({
      id: this.id,
      aor: this.aor,
      transport: this.#flow?.transport ?? 'WS',
      send: (text) => this.#flow?.send(text) ?? false,
      listener: {
        incomingCall: (call) => this.surroundings.hooks.incomingCall(this, call),
        request: (request) => this.surroundings.hooks.request(this, request),
        refused: (request, failure) => this.#refused(request, failure),
      },
      log: this.surroundings.log,
      clock: this.surroundings.clock,
    });
    return this.#stack;
  }
}
