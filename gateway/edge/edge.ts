import type { WebSocket } from 'ws';
import type { Clock, Timer } from '../../sip/clock.js';
import type { Log } from '../../sip/log.js';
import type { DigestAuth } from '../auth/digest-auth.js';
import type { TokenAuth } from '../auth/token-auth.js';
import type { EndpointTable } from '../endpoint/endpoint-table.js';
import type { PbxRegistrar } from '../pbx-domain/pbx-registrar.js';
import type { Registrar } from '../registrar/registrar.js';
import type { EdgeEvents, FlowCloseCause } from '../telemetry/edge-events.js';
import type { TrustedProxies } from '../config/trusted-proxies.js';
import { ClientAddress } from './client-address.js';
import { Flow, type FlowLimits, type FlowListener, type FlowOrigin } from './flow.js';
import { FlowTable } from './flow-table.js';
import {
  startHttpServer,
  type HttpListen,
  type HttpServer,
  type PageHandler,
  type TlsCertificate,
} from './http-server.js';
import { Ingress } from './ingress.js';
import { OverloadGate } from './overload-gate.js';
import { gatedPages } from './page-gate.js';
import { EdgeRates, type EdgeRateLimits } from './edge-rates.js';
import { SignInFailures, type SignInFailureLimits } from './sign-in-failures.js';
import { SignIn } from './sign-in.js';
import { TokenSignIn } from './token-sign-in.js';
import { TokenTerms } from './token-terms.js';
import { Upgrade } from './upgrade.js';
import type { UpgradeTokenOptions } from './upgrade-token.js';

export interface EdgeLimits extends FlowLimits, EdgeRateLimits, SignInFailureLimits {
  readonly maxFlows: number;
  readonly maxFlowsPerAddress: number;
  /** Bytes of one WebSocket message, and so of one SIP message. */
  readonly maxMessageBytes: number;
  /** How long a flow may stay without signing in. */
  readonly authenticateWithinMs: number;
  /** How long a connection may take for its first request. */
  readonly requestWithinMs: number;
  /** Flows that have not signed in, and connections of each listener without a request; undefined: as many as flows. */
  readonly maxUnauthenticated?: number | undefined;
  readonly maxUnauthenticatedPerAddress?: number | undefined;
}

export interface EdgeOptions {
  /** One for `http`, one for `https`, or both. */
  readonly listen: readonly HttpListen[];
  /** Serves the pages of the softphone. */
  readonly pages: PageHandler;
  readonly origins: readonly string[];
  /** Proxies in front, whose word on where a client is counts; none by default. */
  readonly proxies?: TrustedProxies;
  readonly perMessageDeflate: boolean;
  /** Each flow is asked for a sign of life once in this time, and dropped when it gave none until the next. */
  readonly keepaliveMs: number;
  readonly limits: EdgeLimits;
  /** Domains whose users sign in here, in lower case. */
  readonly domains: readonly string[];
  readonly anonymousOptions: boolean;
  readonly auth: DigestAuth;
  readonly registrar: Registrar;
  /** For the domains whose PBX knows the passwords. */
  readonly pbx?: PbxRegistrar;
  /** For the domains, in lower case, whose users bring tokens. */
  readonly tokens?: TokenOptions;
  /** See {@link SignInOptions}. */
  readonly ticketFor?: (aor: string, untilMs: number) => string | undefined;
  readonly endpoints: EndpointTable;
  readonly events: EdgeEvents;
  readonly clock: Clock;
  readonly log: Log;
}

/** How users sign in who bring tokens. */
export interface TokenOptions extends UpgradeTokenOptions {
  readonly auth: TokenAuth;
  /** In lower case. */
  readonly domains: ReadonlySet<string>;
}

export const defaultEdgeLimits: EdgeLimits = {
  messagesPerSecond: 50,
  messageBurst: 200,
  maxBufferedBytes: 1_024 * 1_024,
  maxFlows: 50_000,
  maxFlowsPerAddress: 200,
  maxMessageBytes: 64 * 1_024,
  authenticateWithinMs: 30_000,
  requestWithinMs: 10_000,
  registerFailuresPerMinute: 10,
};

const closeWithinMs = 1_000;
/** How soon after its call a flow is closed while draining: before its user places the next. */
const drainSweepMs = 100;
/** While draining: how long a new flow has to show that it comes back to a call. */
const returnWithinMs = 3_000;
const sipPaths = ['/ws', '/'];

/** The browser side's door: HTTP listeners, upgrade, flows and the gates behind them. */
export class Edge implements FlowListener {
  readonly flows: FlowTable;
  readonly #failures: SignInFailures;
  readonly #rates: EdgeRates;
  readonly #terms: TokenTerms;
  #limits: EdgeLimits;
  readonly #ingress: Ingress;
  readonly #overload: OverloadGate;
  readonly #upgrade: Upgrade;
  readonly #clients: ClientAddress;
  #servers: readonly HttpServer[] = [];
  /** While draining: looks for flows whose call has ended. */
  #sweep: Timer | undefined;
  /** Users that had a call when the flows were looked at. */
  #calling: ReadonlySet<string> = new Set();
  #closing: Promise<void> | undefined;

  constructor(private readonly options: EdgeOptions) {
    const { clock, log, events, limits, keepaliveMs, auth, registrar, endpoints } = options;
    const { maxMessageBytes } = limits;
    this.#limits = limits;
    this.#clients = new ClientAddress(options.proxies ?? { addresses: [], header: 'x-forwarded-for' });
    this.#failures = new SignInFailures(limits);
    const rates = new EdgeRates(limits);
    this.#rates = rates;
    this.flows = new FlowTable({
      clock,
      keepaliveMs,
      authenticateWithinMs: () => this.#limits.authenticateWithinMs,
      tick: (nowMs) => this.#tick(nowMs),
    });
    const { flows } = this;
    const domains = new Set(options.domains);
    const failures = this.#failures;
    const { pbx } = options;
    const terms = new TokenTerms({ clock, endpoints });
    this.#terms = terms;
    const tokens = options.tokens && new TokenSignIn({ ...options.tokens, terms, failures, clock, events });
    const signIn = new SignIn({
      domains,
      auth,
      failures,
      registrar,
      pbx,
      tokens,
      ticketFor: options.ticketFor,
      endpoints,
      flows,
      clock,
      events,
    });
    const { anonymousOptions } = options;
    this.#overload = new OverloadGate({ clock, log, callingAors: () => endpoints.callingAors() });
    this.#ingress = new Ingress({
      signIn,
      overload: this.#overload,
      rates,
      clock,
      log,
      events,
      anonymousOptions,
      maxMessageBytes,
    });
    this.#upgrade = this.#createUpgrade(rates);
  }

  /** The listeners, in the order of `options.listen`, once they are up. */
  get servers(): readonly HttpServer[] {
    return this.#servers;
  }

  /** Binds every listener. Rejects, with none left open, when one cannot be bound. */
  async listen(): Promise<void> {
    const started: HttpServer[] = [];
    const { clock, events, log } = this.options;
    const clients = this.#clients;
    const takeRequest = (address: string): number => this.#rates.takeRequest(address, clock.nowMs());
    const pages = gatedPages(this.options.pages, { clients, takeRequest, events });
    try {
      for (const listen of this.options.listen) {
        started.push(
          await startHttpServer({
            listen,
            pages,
            upgrade: (request, socket, head) => this.#upgrade.handle(request, socket, head),
            isProxy: (address) => clients.isProxy(address),
            maxNewcomersPerAddress: () => this.#limits.maxFlowsPerAddress,
            maxNewcomers: () => this.#limits.maxUnauthenticated ?? this.#limits.maxFlows,
            requestWithinMs: () => this.#limits.requestWithinMs,
            events,
            clock,
            log,
          }),
        );
      }
    } catch (cause) {
      await Promise.all(started.map((server) => server.close()));
      throw cause;
    }
    this.#servers = started;
  }

  /** New flows are under these limits; those that are up keep theirs. */
  renewLimits(limits: EdgeLimits): void {
    this.#limits = limits;
    this.#failures.renew(limits);
    this.#rates.renew(limits);
    for (const server of this.#servers) server.renewPatience();
  }

  /** Shows another certificate to new connections; flows that are up stay. Throws when it cannot be used. */
  renew(certificate: TlsCertificate): void {
    for (const server of this.#servers) server.renew(certificate);
  }

  /**
   * Takes nothing new: upgrades, REGISTER and requests outside a dialog are answered 503, but for those that come back to
   * a call. Flows are closed (1001) as soon as their endpoint has no call. Idempotent.
   */
  drain(): void {
    if (this.#sweep !== undefined) return;
    this.#closeIdle();
    this.#upgrade.drain(() => this.#calling.size > 0);
    this.#ingress.drain((aor) => this.#calling.has(aor));
    this.#sweep = this.options.clock.every(drainSweepMs, () => this.#closeIdle());
  }

  /** Closes every flow (1001) and listener; resolves when all are gone, at the latest after a second. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  sizes(): Record<string, number> {
    const newcomers = this.#servers.reduce((sum, server) => sum + server.newcomers, 0);
    return {
      ...this.flows.sizes(),
      tokenTerms: this.#terms.size,
      ...this.#failures.sizes(),
      ...this.#rates.sizes(),
      newcomers,
    };
  }

  message(flow: Flow, bytes: Buffer): void {
    const { clock } = this.options;
    const excess = this.#rates.takeMessage(flow.origin.address, flow.endpoint?.aor, clock.nowMs());
    if (excess !== undefined) return flow.close(excess);
    this.#ingress.receive(flow, bytes);
  }

  ended(flow: Flow): void {
    this.#terms.forget(flow);
    if (flow.endpoint !== undefined) this.options.endpoints.detach(flow.endpoint, flow);
    flow.endpoint = undefined;
  }

  closed(flow: Flow, outcome: { cause: FlowCloseCause; code: number; reason: string }): void {
    this.flows.remove(flow);
    const openMs = this.options.clock.nowMs() - flow.openedAtMs;
    this.options.events.flowClosed({ flowId: flow.id, remote: flow.remote, openMs, ...outcome });
  }

  #createUpgrade(rates: EdgeRates): Upgrade {
    const { options } = this;
    const { clock, events, limits } = options;
    const { maxMessageBytes } = limits;
    const current = (): EdgeLimits => this.#limits;
    return new Upgrade({
      paths: sipPaths,
      origins: options.origins,
      get maxFlows() {
        return current().maxFlows;
      },
      get maxFlowsPerAddress() {
        return current().maxFlowsPerAddress;
      },
      get maxUnauthenticated() {
        return current().maxUnauthenticated ?? Infinity;
      },
      get maxUnauthenticatedPerAddress() {
        return current().maxUnauthenticatedPerAddress ?? Infinity;
      },
      takeConnect: (address) => rates.takeConnect(address, clock.nowMs()),
      maxMessageBytes,
      perMessageDeflate: options.perMessageDeflate,
      flows: this.flows,
      clients: this.#clients,
      events,
      tokens: options.tokens,
      accept: (socket, origin, token) => this.#accept(socket, origin, token),
    });
  }

  #accept(socket: WebSocket, origin: FlowOrigin, token: string | undefined): void {
    const flow = new Flow(socket, origin, this.#limits, this.options.clock, this, token);
    this.flows.add(flow);
    const { id: flowId, remote, transport } = flow;
    this.options.events.flowOpened({ flowId, remote, transport });
  }

  #tick(nowMs: number): void {
    this.#failures.sweep(nowMs);
    this.#rates.sweep(nowMs);
    for (const server of this.#servers) server.sweep();
  }

  #closeIdle(): void {
    this.#calling = this.options.endpoints.callingAors();
    const sinceMs = this.options.clock.nowMs() - returnWithinMs;
    for (const flow of this.flows.all()) {
      const { endpoint, openedAtMs } = flow;
      const mayReturn = this.#calling.size > 0 && endpoint === undefined && openedAtMs > sinceMs;
      if (!mayReturn && endpoint?.calling !== true) flow.close('drain');
    }
  }

  async #close(): Promise<void> {
    this.drain();
    for (const flow of this.flows.all()) flow.close('drain');
    const cut = this.options.clock.after(closeWithinMs, () => {
      for (const flow of this.flows.all()) flow.terminate();
    });
    await this.flows.emptied();
    cut.cancel();
    this.#sweep?.cancel();
    this.flows.close();
    this.#terms.close();
    this.options.tokens?.auth.close();
    this.#overload.close();
    this.#failures.clear();
    this.#rates.clear();
    await Promise.all(this.#servers.map((server) => server.close()));
  }
}

/** Opens the browser side's door. Rejects when a listener cannot be bound. */
export async function createEdge(options: EdgeOptions): Promise<Edge> {
  const edge = new Edge(options);
  try {
    await edge.listen();
  } catch (cause) {
    await edge.close();
    throw cause;
  }
  return edge;
}
