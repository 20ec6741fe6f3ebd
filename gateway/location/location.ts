import type { SipFailure } from '../../sip/failure.js';
import type { Awaitable } from '../awaitable.js';

/** Where an address-of-record can be reached until it expires (RFC 3261 §10, RFC 5626 §4.2). */
export interface Binding {
  /** Canonical `sip:user@domain`. */
  readonly aor: string;
  /** The contact's URI as the client wrote it; it becomes the Request-URI of requests to the client. */
  readonly contactUri: string;
  /** `+sip.instance` as received, with its angle brackets. */
  readonly instanceId?: string;
  readonly regId?: number;
  /** Other contact parameters (`q`, media feature tags), ready to be appended: `;q=0.5;audio`. */
  readonly contactParams: string;
  /** Path values, topmost first (RFC 3327). */
  readonly path: readonly string[];
  /** Milliseconds since the Unix epoch. */
  readonly expiresAtMs: number;
  readonly sipCallId: string;
  readonly cseq: number;
  /** `e_…` of the endpoint whose flow the contact is reached through. */
  readonly endpointId: string;
  readonly userAgent?: string;
}

/**
 * Computes the bindings that an address-of-record is to have from those that it has, or refuses. May run more than once
 * (optimistic locking), so it must be free of side effects.
 */
export type BindingEdit = (current: readonly Binding[]) => readonly Binding[] | SipFailure;

/** Stores bindings and finds them again; the registrar decides what they are. */
export interface Location {
  /** The bindings of a canonical address-of-record that have not expired; empty when there is none. */
  find(aor: string): Awaitable<readonly Binding[]>;
  /** Applies `edit` at once or not at all (RFC 3261 §10.3 step 7). Gives the new bindings, or the edit's refusal. */
  update(aor: string, edit: BindingEdit): Awaitable<readonly Binding[] | SipFailure>;
  /** Number of bindings held by this process. */
  readonly size: number;
  close(): void;
}
