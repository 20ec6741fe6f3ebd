import type { Clock } from '../../sip/clock.js';
import { failure, SipFailure } from '../../sip/failure.js';
import {
  canonicalAor,
  parseUri,
  respond,
  tagOf,
  type SipRequest,
  type SipResponse,
  type Uri,
} from '../../sip/message/index.js';
import type { AuthVerdict, DigestAuth } from '../auth/digest-auth.js';
import { ticketHeader } from '../contract/page-config.js';
import { whenReady, type Awaitable } from '../awaitable.js';
import { drainFailure } from '../drain-failure.js';
import type { Endpoint } from '../endpoint/endpoint.js';
import { identifyContact, identifyRequest, type EndpointIdentity } from '../endpoint/endpoint-identity.js';
import type { EndpointTable } from '../endpoint/endpoint-table.js';
import type { Registrar } from '../registrar/registrar.js';
import { readRegistration } from '../registrar/registration.js';
import type { EdgeEvents } from '../telemetry/edge-events.js';
import type { Flow } from './flow.js';
import type { PbxRegistrar } from '../pbx-domain/pbx-registrar.js';
import type { FlowTable } from './flow-table.js';
import type { SignInFailures } from './sign-in-failures.js';
import type { TokenSignIn } from './token-sign-in.js';
import { PbxSignIn } from './pbx-sign-in.js';

export interface SignInOptions {
  /** Domains whose users sign in here, in lower case. */
  readonly domains: ReadonlySet<string>;
  readonly auth: DigestAuth;
  readonly failures: SignInFailures;
  readonly registrar: Registrar;
  /** For the domains whose PBX knows the passwords. */
  readonly pbx: Pick<PbxRegistrar, 'serves' | 'register'> | undefined;
  /** For the domains whose users bring tokens. */
  readonly tokens: TokenSignIn | undefined;
  readonly endpoints: EndpointTable;
  readonly flows: Pick<FlowTable, 'authenticated'>;
  /** The ticket for the HTTP API of whoever has signed in as `aor`; undefined: none is needed. */
  readonly ticketFor: ((aor: string, untilMs: number) => string | undefined) | undefined;
  readonly clock: Clock;
  readonly events: Pick<EdgeEvents, 'challenged' | 'registrationRefused'>;
}

/** As long as the longest registration. */
const ticketLifetimeMs = 3_600_000;

/** Whom a request claims to come from. */
interface Claim {
  /** Canonical address-of-record. */
  readonly aor: string;
  readonly user: string;
  readonly domain: string;
}

/** A response to send, a failure to refuse with, or undefined: the flow is attached and the request may go on. */
type Outcome = SipResponse | SipFailure | undefined;

/**
 * Ties a flow to an endpoint. REGISTER is challenged every time; any other first request of a flow is challenged likewise
 * (RFC 3261 §8.2.7), and with the right credentials it attaches the flow as a REGISTER does.
 */
export class SignIn {
  readonly #pbx: PbxSignIn | undefined;
  #draining = false;

  constructor(private readonly options: SignInOptions) {
    const { pbx, failures, endpoints, clock, events } = options;
    const attach = (flow: Flow, identity: EndpointIdentity) => this.#attach(flow, identity);
    const whyNotNow = (flow: Flow, identity: EndpointIdentity) => this.#whyNotNow(flow, identity);
    this.#pbx =
      pbx && new PbxSignIn({ registrar: pbx, failures, endpoints, clock, events, attach, whyNotNow });
  }

  /** Lets only those sign in from now on who come back to a call. */
  drain(): void {
    this.#draining = true;
  }

  /** RFC 3261 §10.3, steps 1 to 5 here and the rest in the registrar. */
  register(flow: Flow, request: SipRequest): Awaitable<Outcome> {
    return whenReady(this.#register(flow, request), (outcome) => this.#withTicket(flow, outcome));
  }

  #register(flow: Flow, request: SipRequest): Awaitable<Outcome> {
    const claim = this.#claimOf(request.to.uri);
    if (claim instanceof SipFailure) return this.#refused(flow, claim, '');
    const flaw = checkRegistrant(flow, request, claim);
    if (flaw !== undefined) return this.#refused(flow, flaw, claim.aor);
    if (this.#pbx?.serves(claim.domain) === true) {
      return this.#pbx.register(flow, request, claim).then((outcome) => {
        return outcome instanceof SipFailure ? this.#refused(flow, outcome, claim.aor) : outcome;
      });
    }
    const { tokens } = this.options;
    if (tokens?.serves(claim.domain) === true) return this.#registerByToken(tokens, flow, request, claim);
    return whenReady(this.#verify(flow, request, claim), (refusal) => {
      if (refusal instanceof SipFailure) return this.#refused(flow, refusal, claim.aor);
      return refusal ?? this.#bind(flow, request, claim);
    });
  }

  /** Authenticates a request other than REGISTER on a flow that is not attached yet. */
  authenticate(flow: Flow, request: SipRequest): Awaitable<Outcome> {
    const isInDialog = tagOf(request.to) !== undefined;
    const claim = isInDialog ? this.#claimInDialog(request) : this.#claimOf(request.from.uri);
    if (claim instanceof SipFailure) return claim;
    // Only a REGISTER that its PBX accepts proves who it is.
    if (this.#pbx?.serves(claim.domain) === true) return failure('auth.unregistered');
    const { tokens } = this.options;
    if (tokens?.serves(claim.domain) === true) {
      return this.#authenticateByToken(tokens, flow, request, isInDialog ? { domain: claim.domain } : claim);
    }
    return whenReady(this.#verify(flow, request, claim), (refusal) => {
      return refusal ?? this.#attachBy(flow, request, claim);
    });
  }

  /** Who is signed in gets a ticket for the HTTP API with every 200; it lasts as long as any registration may. */
  #withTicket(flow: Flow, outcome: Outcome): Outcome {
    const { endpoint } = flow;
    const { ticketFor, tokens, clock } = this.options;
    if (endpoint?.bound !== true || outcome === undefined || outcome instanceof SipFailure) return outcome;
    const untilMs = Math.min(clock.nowMs() + ticketLifetimeMs, tokens?.untilMs(flow) ?? Infinity);
    const ticket = outcome.status === 200 ? ticketFor?.(endpoint.aor, untilMs) : undefined;
    if (ticket !== undefined) outcome.headers.append(ticketHeader, ticket);
    return outcome;
  }

  async #registerByToken(
    tokens: TokenSignIn,
    flow: Flow,
    request: SipRequest,
    claim: Claim,
  ): Promise<Outcome> {
    const proof = await tokens.prove(flow, request, claim);
    if (proof instanceof SipFailure) return this.#refused(flow, proof, claim.aor);
    if ('kind' in proof) return proof;
    const outcome = await this.#bind(flow, request, claim, proof.untilMs);
    if (flow.endpoint?.aor === proof.aor) tokens.signedIn(flow, proof);
    return outcome;
  }

  async #authenticateByToken(
    tokens: TokenSignIn,
    flow: Flow,
    request: SipRequest,
    claim: { readonly domain: string; readonly aor?: string },
  ): Promise<Outcome> {
    const proof = await tokens.prove(flow, request, claim);
    if (proof instanceof SipFailure || 'kind' in proof) return proof;
    const misplaced = this.#attachBy(flow, request, proof);
    if (misplaced === undefined) tokens.signedIn(flow, proof);
    return misplaced;
  }

  /** Attaches a flow whose first request is no REGISTER, and is authentic. */
  #attachBy(flow: Flow, request: SipRequest, { aor }: { readonly aor: string }): SipFailure | undefined {
    if (tagOf(request.to) !== undefined && this.#attachToDialog(flow, request, aor)) return undefined;
    const identity = identifyRequest(request, aor);
    return identity instanceof SipFailure ? identity : this.#attach(flow, identity);
  }

  /** From must be the endpoint's own address-of-record, or nobody's: who wants to hide writes that (RFC 3323 §4.1.1.3). */
  checkIdentity(flow: Flow, endpoint: Endpoint, request: SipRequest): SipFailure | undefined {
    const ended = this.options.tokens?.flawOf(flow, endpoint.aor);
    if (ended !== undefined) return ended;
    const { uri } = request.from;
    if (canonicalAor(uri) === endpoint.aor || ('host' in uri && uri.host === 'anonymous.invalid')) {
      return undefined;
    }
    return failure('auth.identity', { detail: `From is not ${endpoint.aor}` });
  }

  #claimOf(uri: Uri): Claim | SipFailure {
    const aor = canonicalAor(uri);
    if (aor === undefined) return failure('auth.identity', { detail: 'no user of a SIP domain is named' });
    const at = aor.lastIndexOf('@');
    const domain = aor.slice(at + 1);
    if (!this.options.domains.has(domain)) return failure('domain.unknown', { detail: domain });
    return { aor, user: unescaped(aor.slice(aor.indexOf(':') + 1, at)), domain };
  }

  /** In a dialog From is whatever the dialog began with, so that only the credentials can tell who asks. */
  #claimInDialog(request: SipRequest): Claim | SipFailure {
    const { auth, domains } = this.options;
    const { uri } = request.from;
    const host = 'host' in uri ? uri.host : '';
    const [first = ''] = domains;
    const domain = domains.has(host) ? host : first;
    const user = auth.claimedUser(request, domain) ?? 'unknown';
    const claimed = parseUri(`sip:${encodeURIComponent(user)}@${domain}`);
    return claimed === undefined ? failure('auth.identity') : this.#claimOf(claimed);
  }

  /** Undefined when the request is authentic, else how it is answered. */
  #verify(flow: Flow, request: SipRequest, { aor, user, domain }: Claim): Awaitable<Outcome> {
    const { auth, clock, failures } = this.options;
    if (flow.endpoint === undefined) {
      const seconds = failures.retryAfterSeconds(flow.origin.address, aor, clock.nowMs());
      if (seconds > 0) {
        return failure('limit.register_failures', { headers: [['Retry-After', String(seconds)]] });
      }
    }
    return whenReady(auth.verify(request, flow, user, domain), (verdict) =>
      this.#conclude(flow, request, { aor, domain }, verdict),
    );
  }

  #conclude(
    flow: Flow,
    request: SipRequest,
    { aor, domain }: Pick<Claim, 'aor' | 'domain'>,
    verdict: AuthVerdict,
  ): Outcome {
    const { auth, clock, events, failures } = this.options;
    switch (verdict.kind) {
      case 'accepted':
        return undefined;
      case 'rejected':
        if (verdict.failure.code === 'auth.rejected') failures.note(flow.origin.address, aor, clock.nowMs());
        return verdict.failure;
      case 'challenge': {
        const { id: flowId, remote } = flow;
        events.challenged({ flowId, remote, method: request.method, stale: verdict.stale });
        const challenge = auth.challenge(flow, domain, verdict.stale);
        return respond(request, 401, { headers: [['WWW-Authenticate', challenge]] });
      }
    }
  }

  /** `untilMs`: when the sign-in ends; undefined: not by itself. */
  #bind(flow: Flow, request: SipRequest, { aor }: Claim, untilMs?: number): Awaitable<Outcome> {
    const registration = readRegistration(request);
    if (registration instanceof SipFailure) return this.#refused(flow, registration, aor);
    const { contacts } = registration;
    const identity = identifyContact(contacts === '*' ? undefined : contacts[0], aor);
    if (identity instanceof SipFailure) return this.#refused(flow, identity, aor);
    const misplaced = this.#attach(flow, identity);
    const { endpoint } = flow;
    if (misplaced !== undefined) return this.#refused(flow, misplaced, aor);
    if (endpoint === undefined) return undefined;
    const term = untilMs === undefined ? {} : { untilMs };
    const registrant = { aor, endpointId: endpoint.id, flowId: flow.id, ...term };
    return whenReady(this.options.registrar.bind(request, registration, registrant), (result) => {
      if (result.failure !== undefined) return this.#refused(flow, result.failure, aor);
      this.options.endpoints.noteBound(endpoint, result.bound);
      return result.response;
    });
  }

  #attachToDialog(flow: Flow, request: SipRequest, aor: string): boolean {
    const { endpoints, flows } = this.options;
    if (!flow.open || flow.endpoint !== undefined) return false;
    flow.endpoint = endpoints.attachToDialog(flow, aor, request);
    if (flow.endpoint === undefined) return false;
    flows.authenticated(flow);
    return true;
  }

  #attach(flow: Flow, identity: EndpointIdentity): SipFailure | undefined {
    const { endpoints, flows } = this.options;
    if (!flow.open) return failure('endpoint.lost');
    const closed = this.#whyNotNow(flow, identity);
    if (closed !== undefined) return closed;
    const endpoint =
      flow.endpoint === undefined
        ? endpoints.attach(flow, identity)
        : endpoints.reidentify(flow.endpoint, flow, identity);
    if (endpoint instanceof SipFailure) return endpoint;
    flow.endpoint = endpoint;
    flows.authenticated(flow);
    return undefined;
  }

  #whyNotNow(flow: Flow, identity: EndpointIdentity): SipFailure | undefined {
    if (!this.#draining || flow.endpoint !== undefined) return undefined;
    return this.options.endpoints.isCalling(identity) ? undefined : drainFailure();
  }

  #refused(flow: Flow, reason: SipFailure, aor: string): SipFailure {
    const { id: flowId, remote } = flow;
    this.options.events.registrationRefused({ flowId, remote, aor, failure: reason });
    return reason;
  }
}

/**
 * To must lie in the Request-URI's domain (RFC 3261 §10.3 step 5), and nobody registers for somebody else. Before any
 * credentials are looked at: who has signed in is never locked out, so that he could try passwords of others for ever.
 */
function checkRegistrant(
  { endpoint }: Flow,
  request: SipRequest,
  { aor, domain }: Claim,
): SipFailure | undefined {
  const { uri } = request;
  if ((uri.scheme !== 'sip' && uri.scheme !== 'sips') || uri.host !== domain) {
    return failure('domain.unknown', { detail: 'To is not in the domain of the Request-URI' });
  }
  if (canonicalAor(request.from.uri) !== aor) {
    return failure('auth.identity', { detail: 'From and To of REGISTER differ' });
  }
  if (endpoint === undefined || endpoint.aor === aor) return undefined;
  return failure('auth.identity', { detail: `the flow has signed in as ${endpoint.aor}` });
}

/** The user as configured: without escapes. */
function unescaped(user: string): string {
  if (!user.includes('%')) return user;
  try {
    return decodeURIComponent(user);
  } catch {
    return user;
  }
}
