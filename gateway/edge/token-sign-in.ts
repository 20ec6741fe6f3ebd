import type { Clock } from '../../sip/clock.js';
import { failure, SipFailure } from '../../sip/failure.js';
import { parseBearer, respond, type SipRequest, type SipResponse } from '../../sip/message/index.js';
import { tokenEnded, type TokenAuth, type TokenProof } from '../auth/token-auth.js';
import type { EdgeEvents } from '../telemetry/edge-events.js';
import type { Flow } from './flow.js';
import type { SignInFailures } from './sign-in-failures.js';
import type { TokenTerms } from './token-terms.js';

export interface TokenSignInOptions {
  readonly auth: TokenAuth;
  /** Domains whose users bring tokens, in lower case. */
  readonly domains: ReadonlySet<string>;
  readonly terms: TokenTerms;
  readonly failures: SignInFailures;
  readonly clock: Clock;
  readonly events: Pick<EdgeEvents, 'challenged'>;
}

/** Signs users in who bring a token: with the request (RFC 8898), or from the upgrade of their flow. */
export class TokenSignIn {
  constructor(private readonly options: TokenSignInOptions) {}

  serves(domain: string): boolean {
    return this.options.domains.has(domain);
  }

  /** What the token of a request proves; else how the request is answered. `aor`: who it claims to be. */
  async prove(
    flow: Flow,
    request: SipRequest,
    { domain, aor }: { readonly domain: string; readonly aor?: string },
  ): Promise<TokenProof | SipResponse | SipFailure> {
    const { auth, clock, failures } = this.options;
    const { address } = flow.origin;
    const whom = aor ?? domain;
    const seconds =
      flow.endpoint === undefined ? failures.retryAfterSeconds(address, whom, clock.nowMs()) : 0;
    if (seconds > 0) {
      return failure('limit.register_failures', { headers: [['Retry-After', String(seconds)]] });
    }
    const token = parseBearer(request.headers.getAll('authorization')) ?? flow.token;
    if (token === undefined) return this.#challenge(flow, request, domain);
    const proof = await auth.verify(token, domain);
    if (proof instanceof SipFailure) {
      // Whose token has merely run out is no attacker.
      if (proof.code === 'auth.token' && proof.detail !== tokenEnded) {
        failures.note(address, whom, clock.nowMs());
      }
      return proof;
    }
    const isOwn = aor === undefined ? proof.aor.endsWith(`@${domain}`) : proof.aor === aor;
    if (isOwn) return proof;
    failures.note(address, whom, clock.nowMs());
    return failure('auth.identity', { detail: `the token is for ${proof.aor}` });
  }

  /** The flow has signed in with that token. */
  signedIn(flow: Flow, { untilMs }: TokenProof): void {
    this.options.terms.extend(flow, untilMs);
  }

  /** When the flow's sign-in ends. */
  untilMs(flow: Flow): number {
    return this.options.terms.untilMs(flow);
  }

  /** Why a flow that has signed in may begin nothing new. */
  flawOf(flow: Flow, aor: string): SipFailure | undefined {
    if (!this.options.terms.hasEnded(flow)) return undefined;
    return this.options.auth.ended(aor.slice(aor.lastIndexOf('@') + 1));
  }

  #challenge(flow: Flow, request: SipRequest, domain: string): SipResponse {
    const { auth, events } = this.options;
    const { id: flowId, remote } = flow;
    events.challenged({ flowId, remote, method: request.method, stale: false });
    return respond(request, 401, { headers: [['WWW-Authenticate', auth.challenge(domain)]] });
  }
}
