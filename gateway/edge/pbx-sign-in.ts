import type { Clock } from '../../sip/clock.js';
import { failure, SipFailure } from '../../sip/failure.js';
import type { NameAddr, SipRequest, SipResponse } from '../../sip/message/index.js';
import { identifyContact, type EndpointIdentity } from '../endpoint/endpoint-identity.js';
import type { EndpointTable } from '../endpoint/endpoint-table.js';
import type { PbxRegistrar } from '../pbx-domain/pbx-registrar.js';
import { readRegistration } from '../registrar/registration.js';
import type { EdgeEvents } from '../telemetry/edge-events.js';
import type { Flow } from './flow.js';
import type { SignInFailures } from './sign-in-failures.js';

export interface PbxSignInOptions {
  readonly registrar: Pick<PbxRegistrar, 'serves' | 'register'>;
  readonly failures: SignInFailures;
  readonly endpoints: Pick<EndpointTable, 'noteBound'>;
  readonly clock: Clock;
  readonly events: Pick<EdgeEvents, 'challenged'>;
  /** Ties the flow to the endpoint of that identity; a failure when it cannot be. */
  attach(flow: Flow, identity: EndpointIdentity): SipFailure | undefined;
  /** Why nobody of that identity can sign in at present. */
  whyNotNow(flow: Flow, identity: EndpointIdentity): SipFailure | undefined;
}

/** Signs users in whose PBX knows the passwords: an endpoint exists only after the PBX has answered 200. */
export class PbxSignIn {
  constructor(private readonly options: PbxSignInOptions) {}

  serves(domain: string): boolean {
    return this.options.registrar.serves(domain);
  }

  /** What a REGISTER of `aor` is answered with. */
  async register(
    flow: Flow,
    request: SipRequest,
    { aor, domain }: { readonly aor: string; readonly domain: string },
  ): Promise<SipResponse | SipFailure> {
    const { registrar, failures, clock, events, endpoints } = this.options;
    const flaw = this.#whyNotAsk(flow, aor);
    if (flaw !== undefined) return flaw;
    const registration = readRegistration(request);
    if (registration instanceof SipFailure) return registration;
    const { contacts } = registration;
    if (contacts !== '*' && contacts.length !== 1) {
      return failure('message.malformed', { detail: 'REGISTER to a PBX needs one Contact' });
    }
    const identity = this.#identityOf(flow, contacts === '*' ? undefined : contacts[0], aor);
    if (identity instanceof SipFailure) return identity;
    const { id: flowId, remote } = flow;
    const verdict = await registrar.register({ request, registration, identity, domain, flowId });
    if (verdict.kind === 'challenge') {
      events.challenged({ flowId, remote, method: request.method, stale: verdict.stale });
      return verdict.response;
    }
    if (verdict.kind === 'refused') {
      if (verdict.isSignInFailure) failures.note(flow.origin.address, aor, clock.nowMs());
      return verdict.failure;
    }
    const misplaced = verdict.bound ? this.options.attach(flow, identity) : undefined;
    if (misplaced !== undefined) return misplaced;
    const endpoint = flow.endpoint?.aor === aor ? flow.endpoint : undefined;
    const response = await verdict.settle(endpoint?.id);
    if (endpoint !== undefined) endpoints.noteBound(endpoint, verdict.bound);
    return response;
  }

  #identityOf(flow: Flow, contact: NameAddr | undefined, aor: string): EndpointIdentity | SipFailure {
    const identity = identifyContact(contact, aor);
    return identity instanceof SipFailure ? identity : (this.options.whyNotNow(flow, identity) ?? identity);
  }

  /** What is wrong before the PBX is asked. */
  #whyNotAsk({ endpoint, origin }: Flow, aor: string): SipFailure | undefined {
    const { failures, clock } = this.options;
    if (endpoint !== undefined) return undefined;
    const seconds = failures.retryAfterSeconds(origin.address, aor, clock.nowMs());
    if (seconds === 0) return undefined;
    return failure('limit.register_failures', { headers: [['Retry-After', String(seconds)]] });
  }
}
