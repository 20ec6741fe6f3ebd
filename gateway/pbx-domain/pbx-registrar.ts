import type { Clock } from '../../sip/clock.js';
import { failure, toFailure, type SipFailure } from '../../sip/failure.js';
import type { HeaderList, HeaderView, InDialogResponse } from '../../sip/leg.js';
import {
  parseChallenge,
  parseNameAddrList,
  respond,
  serializeUri,
  type NameAddr,
  type SipRequest,
  type SipResponse,
} from '../../sip/message/index.js';
import type { Log } from '../../sip/log.js';
import type { TrunkStack } from '../../sip/trunk/srf.js';
import { whenReady, type Awaitable } from '../awaitable.js';
import type { EndpointIdentity } from '../endpoint/endpoint-identity.js';
import type { Binding, Location } from '../location/location.js';
import { otherParams, regIdOf } from '../registrar/binding-edit.js';
import type { Registration } from '../registrar/registration.js';
import { picked } from '../routing/header-rule.js';
import type { EdgeEvents } from '../telemetry/edge-events.js';
import type { HostsForUser } from '../trunk/trunk-table.js';
import { firstAnswer } from './first-answer.js';
import type { PbxContacts } from './pbx-contacts.js';

export interface PbxRegistrarOptions {
  /** The trunk of a domain whose PBX knows the passwords; undefined: another domain. */
  trunkOf(domain: string): string | undefined;
  /** Whether the PBX of a domain takes Path (RFC 3327). */
  takesPath(domain: string): boolean;
  /** The hosts of a trunk, for that user. */
  hostsFor(trunk: string, aor: string): HostsForUser;
  readonly stack: Pick<TrunkStack, 'request'>;
  readonly log: Log;
  readonly contacts: PbxContacts;
  readonly location: Location;
  readonly clock: Clock;
  readonly events: Pick<EdgeEvents, 'registered' | 'unregistered'>;
}

/** A REGISTER that is to be passed to the PBX. */
export interface PbxRegister {
  readonly request: SipRequest;
  readonly registration: Registration;
  readonly identity: EndpointIdentity;
  readonly domain: string;
  /** `f_…` */
  readonly flowId: string;
}

/** What the PBX said to a REGISTER. */
export type PbxVerdict =
  | { readonly kind: 'challenge'; readonly response: SipResponse; readonly stale: boolean }
  /** `isSignInFailure`: the PBX does not take the credentials. */
  | { readonly kind: 'refused'; readonly failure: SipFailure; readonly isSignInFailure: boolean }
  | {
      readonly kind: 'accepted';
      /** The PBX has a binding that leads here; false: the browser wanted it removed. */
      readonly bound: boolean;
      /** Keeps or removes our binding of that endpoint; gives the answer for the browser. */
      settle(endpointId: string | undefined): Awaitable<SipResponse>;
    };

/** REGISTERs of one flow that may wait for the PBX at once: one, and the next before its answer has crossed. */
const mostPending = 2;
const defaultExpiresSeconds = 3_600;
const maxExpiresSeconds = 7 * 24 * 3_600;

const passedToPbx = ['Authorization', 'Proxy-Authorization', 'Expires', 'User-Agent'];
const passedBack = [
  'WWW-Authenticate',
  'Proxy-Authenticate',
  'Authentication-Info',
  'Min-Expires',
  'Retry-After',
  'Warning',
  'P-Associated-URI',
  'Date',
];

/**
 * Passes REGISTERs to the PBX behind a trunk (issue: domains with `auth: pbx`). Request-URI, From, To, credentials and expiry go
 * as the browser wrote them, so that its digest stays right (RFC 3261 §22.4); Contact becomes a URI at our engine. Without any
 * state until the PBX has said 200.
 */
export class PbxRegistrar {
  /** REGISTERs that wait, by flow; removed by their answer. */
  readonly #pending = new Map<string, number>();

  constructor(private readonly options: PbxRegistrarOptions) {}

  /** Flows with a REGISTER under way. */
  get size(): number {
    return this.#pending.size;
  }

  serves(domain: string): boolean {
    return this.options.trunkOf(domain) !== undefined;
  }

  /** Asks the PBX. Never rejects. */
  async register(register: PbxRegister): Promise<PbxVerdict> {
    const { flowId } = register;
    const waiting = this.#pending.get(flowId) ?? 0;
    if (waiting >= mostPending) return refused(failure('limit.pending_registers'));
    this.#pending.set(flowId, waiting + 1);
    try {
      let host = '';
      const answer = await this.#ask(register, (nextHop) => (host = nextHop));
      return this.#conclude(register, answer, host);
    } catch (thrown) {
      return refused(toFailure(thrown));
    } finally {
      const left = (this.#pending.get(flowId) ?? 1) - 1;
      if (left === 0) this.#pending.delete(flowId);
      else this.#pending.set(flowId, left);
    }
  }

  /** `asks` hears of each host that is asked, the one that answers last. */
  #ask(
    { request, registration, identity, domain }: PbxRegister,
    asks: (nextHop: string) => void,
  ): Promise<InDialogResponse> {
    const { contacts, stack } = this.options;
    const { aor } = identity;
    const token = contacts.tokenOf(identity);
    const takesPath = this.options.takesPath(domain);
    const trunk = this.options.trunkOf(domain) ?? '';
    const send = (nextHop: string): Promise<InDialogResponse> =>
      stack.request(
        'REGISTER',
        { requestUri: request.requestUri, nextHop },
        {
          from: { uri: aor },
          to: { uri: aor },
          contact: contactFor(registration, takesPath ? undefined : token),
          ...(takesPath ? { pathUser: token } : {}),
          ids: {
            callId: contacts.opaque('call-id', aor, request.callId),
            fromTag: contacts.opaque('tag', aor, request.callId),
          },
          headers: [
            ['CSeq', `${request.cseq.number} REGISTER`],
            ...(takesPath ? [['Supported', 'path'] as const] : []),
            ...picked(request.headers, passedToPbx),
          ],
        },
      );
    return firstAnswer({
      ...this.options.hostsFor(trunk, aor),
      clock: this.options.clock,
      isRepeatable: true,
      send: (nextHop) => {
        asks(nextHop);
        return send(nextHop);
      },
    });
  }

  #conclude(register: PbxRegister, { status, reason, headers }: InDialogResponse, host: string): PbxVerdict {
    const { request } = register;
    const back = picked(headers, passedBack);
    if (status >= 200 && status < 300) return this.#accepted(register, { headers, host }, back);
    const told = { status, reason, headers: back, detail: `the PBX answered ${status} ${reason}` };
    if (status === 401 || status === 407) {
      const stale = isStale(headers);
      if (!hasCredentials(request) || stale) {
        return { kind: 'challenge', response: respond(request, status, { reason, headers: back }), stale };
      }
      return refused(failure('auth.rejected', told), true);
    }
    if (status === 403 || status === 404) return refused(failure('auth.rejected', told), true);
    if (status < 400) return refused(failure('upstream.refused', { detail: told.detail }));
    return refused(failure('upstream.refused', told));
  }

  #accepted(
    register: PbxRegister,
    { headers, host }: { readonly headers: HeaderView; readonly host: string },
    back: HeaderList,
  ): PbxVerdict {
    const { request, registration, identity, domain, flowId } = register;
    const { aor } = identity;
    const { contacts: asked } = registration;
    if (asked === '*' || asked[0] === undefined) {
      const settle = (): Awaitable<SipResponse> =>
        whenReady(
          this.#edit(aor, () => true, undefined),
          () => respond(request, 200, { headers: back }),
        );
      return { kind: 'accepted', bound: false, settle };
    }
    const [contact] = asked;
    const token = this.options.contacts.tokenOf(identity);
    const contactUri = serializeUri(contact.uri);
    const takesPath = this.options.takesPath(domain);
    const isOurs = ({ uri }: NameAddr): boolean =>
      takesPath ? serializeUri(uri) === contactUri : 'user' in uri && uri.user === token;
    const seconds = grantedSeconds(isOurs, contact, registration, headers);
    if (takesPath && seconds > 0 && headers.get('Path') === undefined) this.#pathless(domain);
    if (seconds === 0) {
      const settle = (endpointId: string | undefined): Awaitable<SipResponse> =>
        whenReady(
          this.#edit(aor, (old) => old.contactUri === contactUri || old.endpointId === endpointId, undefined),
          () => respond(request, 200, { headers: back }),
        );
      return { kind: 'accepted', bound: false, settle };
    }
    const settle = (endpointId = ''): Awaitable<SipResponse> => {
      const trunk = this.options.trunkOf(domain) ?? '';
      this.options.contacts.set({ token, aor, trunk, host, endpointId, contactUri });
      const binding = this.#bindingOf(register, contact, endpointId, seconds);
      const isOld = (old: Binding): boolean => old.endpointId === endpointId || old.contactUri === contactUri;
      const edited = this.#edit(aor, isOld, { binding, flowId, seconds });
      const answer = [['Contact', shownContact(binding, seconds)] as const, ...back];
      return whenReady(edited, () => respond(request, 200, { headers: answer }));
    };
    return { kind: 'accepted', bound: true, settle };
  }

  /** RFC 3327 §5.3: a registrar that takes Path says so in its 200. */
  #pathless(domain: string): void {
    const trunk = this.options.trunkOf(domain);
    const line = `the PBX of ${domain} seems not to take Path: calls from it may not arrive (contact: rewritten)`;
    this.options.log.warn({ domain, trunk }, line);
  }

  #bindingOf(
    { request, registration, identity }: PbxRegister,
    contact: NameAddr,
    endpointId: string,
    seconds: number,
  ): Binding {
    const { userAgent } = registration;
    const regId = regIdOf(contact);
    return {
      aor: identity.aor,
      contactUri: serializeUri(contact.uri),
      ...(identity.instanceId === undefined ? {} : { instanceId: identity.instanceId }),
      ...(regId === undefined ? {} : { regId }),
      contactParams: otherParams(contact),
      path: [],
      expiresAtMs: this.options.clock.nowMs() + seconds * 1_000,
      sipCallId: request.callId,
      cseq: request.cseq.number,
      endpointId,
      ...(userAgent === undefined ? {} : { userAgent }),
    };
  }

  /** Replaces the bindings that are `old` by `added`, if any, and tells of it. */
  #edit(
    aor: string,
    isOld: (binding: Binding) => boolean,
    added: { readonly binding: Binding; readonly flowId: string; readonly seconds: number } | undefined,
  ): Awaitable<void> {
    const { location, events, contacts } = this.options;
    let old: readonly Binding[] = [];
    const edited = location.update(aor, (current) => {
      old = current.filter(isOld);
      const kept = current.filter((binding) => !isOld(binding));
      return added === undefined ? kept : [...kept, added.binding];
    });
    return whenReady(edited, () => {
      for (const { contactUri, endpointId } of old) {
        if (added?.binding.endpointId !== endpointId) contacts.remove(endpointId);
        if (added?.binding.contactUri === contactUri) continue;
        events.unregistered({ aor, endpointId, contactUri, cause: 'client' });
      }
      if (added === undefined) return;
      const { contactUri, endpointId } = added.binding;
      const refreshed = old.some((binding) => binding.contactUri === contactUri);
      const { flowId, seconds: expiresSeconds } = added;
      events.registered({ aor, endpointId, flowId, contactUri, expiresSeconds, refreshed });
    });
  }
}

function refused(reason: SipFailure, isSignInFailure = false): PbxVerdict {
  return { kind: 'refused', failure: reason, isSignInFailure };
}

const hasCredentials = ({ headers }: SipRequest): boolean =>
  headers.has('authorization') || headers.has('proxy-authorization');

function isStale(headers: HeaderView): boolean {
  const challenges = [...headers.getAll('WWW-Authenticate'), ...headers.getAll('Proxy-Authenticate')];
  return challenges.some((value) => parseChallenge(value)?.stale === true);
}

/**
 * Contact at the PBX, with the expiry and the preferences of the browser's own: our engine's address for `localhost`, or without
 * `token` the browser's own URI.
 */
function contactFor({ contacts }: Registration, token: string | undefined): string {
  const contact = contacts === '*' ? undefined : contacts[0];
  if (contact === undefined) return '*';
  const uri = token === undefined ? serializeUri(contact.uri) : `sip:${token}@localhost`;
  const expires = contact.params.get('expires');
  return `<${uri}>${expires == null ? '' : `;expires=${expires}`}${otherParams(contact)}`;
}

/** How long the PBX keeps our binding: it says it in the Contact of ours, else in Expires (RFC 3261 §10.2.4). */
function grantedSeconds(
  isOurs: (contact: NameAddr) => boolean,
  asked: NameAddr,
  { expiresSeconds }: Registration,
  headers: HeaderView,
): number {
  const listed = parseNameAddrList(headers.getAll('Contact')) ?? [];
  const ours = listed.find(isOurs);
  const wanted = secondsIn(asked.params.get('expires')) ?? expiresSeconds;
  if (ours === undefined && wanted === 0) return 0;
  const granted = secondsIn(ours?.params.get('expires')) ?? secondsIn(headers.get('Expires'));
  return Math.min(granted ?? wanted ?? defaultExpiresSeconds, maxExpiresSeconds);
}

function secondsIn(text: string | null | undefined): number | undefined {
  return text != null && /^\d{1,10}$/.test(text.trim()) ? Number(text) : undefined;
}

/** Only its own binding: where the user's other phones are is the PBX's business. */
function shownContact({ contactUri, instanceId, regId, contactParams }: Binding, seconds: number): string {
  const instance = instanceId === undefined ? '' : `;+sip.instance="${instanceId}"`;
  const flow = regId === undefined ? '' : `;reg-id=${regId}`;
  return `<${contactUri}>;expires=${seconds}${instance}${flow}${contactParams}`;
}
