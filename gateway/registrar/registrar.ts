import type { Clock } from '../../sip/clock.js';
import { SipFailure } from '../../sip/failure.js';
import { respond, respondFailure, type SipRequest, type SipResponse } from '../../sip/message/index.js';
import { whenReady, type Awaitable } from '../awaitable.js';
import type { Binding, Location } from '../location/location.js';
import type { EdgeEvents } from '../telemetry/edge-events.js';
import { editBindings, type BindingLimits } from './binding-edit.js';
import { readRegistration, type Registration } from './registration.js';

export interface RegistrarOptions {
  readonly location: Location;
  readonly clock: Clock;
  readonly events: Pick<EdgeEvents, 'registered' | 'unregistered'>;
  readonly limits: BindingLimits;
  /** Told to clients that support outbound (RFC 5626 §4.4): seconds after which a silent flow counts as dead. */
  readonly flowTimerSeconds: number;
}

/** Who registers, as authentication and the endpoint table proved it. */
export interface Registrant {
  /** Canonical address-of-record. */
  readonly aor: string;
  /** `e_…` */
  readonly endpointId: string;
  /** `f_…` */
  readonly flowId: string;
  /** No binding outlives this; undefined: as the registrar's own limits say. */
  readonly untilMs?: number;
}

/** Outcome of a REGISTER. */
export interface RegisterResult {
  readonly response: SipResponse;
  readonly failure: SipFailure | undefined;
  /** The endpoint has at least one binding now. */
  readonly bound: boolean;
}

/** Edits the bindings of addresses-of-record (RFC 3261 §10.3 steps 6 to 8); its caller has done steps 1 to 5. */
export class Registrar {
  #dateSecond = 0;
  #date = '';

  constructor(private readonly options: RegistrarOptions) {}

  /** Answers a REGISTER that has passed authentication. Gives the response; sends nothing. */
  register(request: SipRequest, registrant: Registrant): Awaitable<RegisterResult> {
    const registration = readRegistration(request);
    if (registration instanceof SipFailure) return refuse(request, registration);
    return this.bind(request, registration, registrant);
  }

  /** As `register`, with the REGISTER read already. */
  bind(request: SipRequest, registration: Registration, registrant: Registrant): Awaitable<RegisterResult> {
    const { location, clock, limits } = this.options;
    const nowMs = clock.nowMs();
    const { aor, endpointId, untilMs = Infinity } = registrant;
    const edit = editBindings(registration, { aor, endpointId, nowMs, untilMs }, limits);
    let before: readonly Binding[] = [];
    const after =
      registration.contacts.length === 0
        ? location.find(aor)
        : location.update(aor, (current) => {
            before = current;
            return edit(current);
          });
    return whenReady(after, (bindings) => {
      if (bindings instanceof SipFailure) return refuse(request, bindings);
      if (registration.contacts.length > 0) this.#report(before, bindings, registrant, nowMs);
      const own = bindings.filter((binding) => binding.endpointId === endpointId);
      // RFC 5626 §6: whether this client has used outbound; others of the same user do not matter.
      const usesOutbound = registration.outbound && own.some(({ regId }) => regId !== undefined);
      return {
        response: this.#accept(request, registration, bindings, { usesOutbound, nowMs }),
        failure: undefined,
        bound: own.length > 0,
      };
    });
  }

  /** Step 8: every current binding with its own expiry. */
  #accept(
    request: SipRequest,
    registration: Registration,
    bindings: readonly Binding[],
    { usesOutbound, nowMs }: { readonly usesOutbound: boolean; readonly nowMs: number },
  ): SipResponse {
    const headers: (readonly [string, string])[] = bindings.map((binding) => [
      'Contact',
      contactOf(binding, nowMs),
    ]);
    for (const path of registration.path) headers.push(['Path', path]);
    if (usesOutbound) headers.push(['Require', 'outbound']);
    if (registration.outbound) headers.push(['Flow-Timer', String(this.options.flowTimerSeconds)]);
    headers.push(['Supported', 'path, outbound'], ['Date', this.#dateAt(nowMs)]);
    return respond(request, 200, { headers });
  }

  #report(
    before: readonly Binding[],
    after: readonly Binding[],
    { aor, endpointId, flowId }: Registrant,
    nowMs: number,
  ): void {
    for (const binding of after) {
      if (before.includes(binding)) continue;
      const { contactUri } = binding;
      const expiresSeconds = remainingSeconds(binding, nowMs);
      const refreshed = before.some((old) => old.contactUri === contactUri);
      this.options.events.registered({ aor, endpointId, flowId, contactUri, expiresSeconds, refreshed });
    }
    for (const { contactUri, endpointId: bound } of before) {
      if (after.some((binding) => binding.contactUri === contactUri)) continue;
      this.options.events.unregistered({ aor, endpointId: bound, contactUri, cause: 'client' });
    }
  }

  /** The Date header (RFC 3261 §20.17), written once a second. */
  #dateAt(nowMs: number): string {
    const second = Math.floor(nowMs / 1_000);
    if (second !== this.#dateSecond) {
      this.#dateSecond = second;
      this.#date = new Date(nowMs).toUTCString();
    }
    return this.#date;
  }
}

function refuse(request: SipRequest, reason: SipFailure): RegisterResult {
  return { response: respondFailure(request, reason), failure: reason, bound: false };
}

function contactOf(binding: Binding, nowMs: number): string {
  const instance = binding.instanceId === undefined ? '' : `;+sip.instance="${binding.instanceId}"`;
  const regId = binding.regId === undefined ? '' : `;reg-id=${binding.regId}`;
  return `<${binding.contactUri}>;expires=${remainingSeconds(binding, nowMs)}${instance}${regId}${binding.contactParams}`;
}

function remainingSeconds(binding: Binding, nowMs: number): number {
  return Math.ceil((binding.expiresAtMs - nowMs) / 1_000);
}
