import { failure, SipFailure } from '../../sip/failure.js';
import { parseUri, sameUri, serializeParams, serializeUri, type NameAddr } from '../../sip/message/index.js';
import type { Binding, BindingEdit } from '../location/location.js';
import { requestedExpiry, type Registration } from './registration.js';

export interface BindingLimits {
  /** Shorter requests are answered 423 (RFC 3261 §10.3 step 7). */
  readonly minExpiresSeconds: number;
  /** Longer requests are shortened. */
  readonly maxExpiresSeconds: number;
  /** Without any expiry in the request. */
  readonly defaultExpiresSeconds: number;
  readonly maxBindingsPerAor: number;
}

/** Whose registration is edited, and when. */
export interface BindingOwner {
  readonly aor: string;
  readonly endpointId: string;
  readonly nowMs: number;
  /** When the sign-in of the owner ends, whatever was asked for. */
  readonly untilMs?: number;
}

/** RFC 3261 §10.3: an hour or more is never too brief. */
const neverTooBriefSeconds = 3_600;

const outOfOrder = (): SipFailure =>
  failure('register.out_of_order', { detail: 'the CSeq is not higher than the binding has' });

/** The edit that RFC 3261 §10.3 steps 6 and 7 prescribe for a REGISTER. */
export function editBindings(
  registration: Registration,
  owner: BindingOwner,
  limits: BindingLimits,
): BindingEdit {
  const { contacts } = registration;
  if (contacts === '*') return (current) => removeAll(current, registration);
  return (current) => {
    let next = current;
    const added: Binding[] = [];
    for (const contact of contacts) {
      const binding = bindContact(contact, registration, owner, limits);
      if (binding instanceof SipFailure) return binding;
      const replaced = next.filter((other) => replaces(binding, other, added));
      if (replaced.some((other) => overtakes(other, registration) && !added.includes(other)))
        return outOfOrder();
      next = next.filter((other) => !replaced.includes(other));
      if (binding.expiresAtMs <= owner.nowMs) continue;
      next = [...next, binding];
      added.push(binding);
    }
    return next.length > limits.maxBindingsPerAor && next.length > current.length
      ? failure('limit.bindings', { detail: `more than ${limits.maxBindingsPerAor} bindings` })
      : next;
  };
}

/** Step 6: bindings of other Call-IDs go; one of the same Call-ID must be older than the request. */
function removeAll(current: readonly Binding[], registration: Registration): readonly Binding[] | SipFailure {
  return current.some((binding) => overtakes(binding, registration)) ? outOfOrder() : [];
}

/** The binding was made by the same or a later request of the same client. */
function overtakes(binding: Binding, registration: Registration): boolean {
  return binding.sipCallId === registration.sipCallId && registration.cseq <= binding.cseq;
}

function bindContact(
  contact: NameAddr,
  registration: Registration,
  owner: BindingOwner,
  limits: BindingLimits,
): Binding | SipFailure {
  const wantedSeconds = requestedExpiry(contact, registration, limits.defaultExpiresSeconds);
  if (wantedSeconds > 0 && wantedSeconds < limits.minExpiresSeconds && wantedSeconds < neverTooBriefSeconds) {
    return failure('register.interval_too_brief', {
      headers: [['Min-Expires', String(limits.minExpiresSeconds)]],
    });
  }
  const { params } = contact;
  const instanceId = params.get('+sip.instance');
  const regId = regIdOf(contact);
  return {
    aor: owner.aor,
    contactUri: serializeUri(contact.uri),
    ...(instanceId == null ? {} : { instanceId }),
    ...(regId === undefined ? {} : { regId }),
    contactParams: otherParams(contact),
    path: registration.path,
    expiresAtMs: Math.min(
      owner.nowMs + Math.min(wantedSeconds, limits.maxExpiresSeconds) * 1_000,
      owner.untilMs ?? Infinity,
    ),
    sipCallId: registration.sipCallId,
    cseq: registration.cseq,
    endpointId: owner.endpointId,
    ...(registration.userAgent === undefined ? {} : { userAgent: registration.userAgent }),
  };
}

/** The reg-id of a contact; without an instance-id it means nothing (RFC 5626 §6). */
export function regIdOf({ params }: NameAddr): number | undefined {
  if (params.get('+sip.instance') == null) return undefined;
  const regId = Number(params.get('reg-id') ?? 0);
  return Number.isSafeInteger(regId) && regId > 0 ? regId : undefined;
}

const ownParams = new Set(['expires', '+sip.instance', 'reg-id']);

/** Parameters of a contact but expiry, instance and reg-id, as text: `;q=0.5;audio`. */
export function otherParams({ params }: NameAddr): string {
  if (![...params.keys()].some((name) => !ownParams.has(name))) return '';
  return serializeParams(new Map([...params].filter(([name]) => !ownParams.has(name))));
}

/**
 * Same contact URI (RFC 3261 §10.3 step 7), or same instance and reg-id (RFC 5626 §6). Deviates: an instance without
 * reg-id replaces its older binding too, because a reloaded page comes back with another random contact.
 */
function replaces(binding: Binding, other: Binding, added: readonly Binding[]): boolean {
  if (sameContact(binding.contactUri, other.contactUri)) return true;
  if (binding.instanceId === undefined || added.includes(other)) return false;
  return binding.instanceId === other.instanceId && binding.regId === other.regId;
}

function sameContact(a: string, b: string): boolean {
  if (a === b) return true;
  const uriA = parseUri(a);
  const uriB = parseUri(b);
  if (uriA === undefined || uriB === undefined) return false;
  return isSip(uriA) && isSip(uriB) && sameUri(uriA, uriB);
}

type ParsedUri = NonNullable<ReturnType<typeof parseUri>>;

function isSip(uri: ParsedUri): uri is Extract<ParsedUri, { host: string }> {
  return uri.scheme === 'sip' || uri.scheme === 'sips';
}
