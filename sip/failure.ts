import { failureCatalogue, type FailureParty, type FailureSeverity } from './failure-catalogue.js';

export { failureCatalogue, type FailureParty, type FailureSeverity };

export type FailureCode = keyof typeof failureCatalogue;

/** What may differ from the catalogue's entry in one case. */
export interface FailureDetail {
  /** Precise text for the log and, on 4xx of malformed input, for the reason phrase; never secrets. */
  readonly detail?: string;
  /** Status and reason of a peer, passed on unchanged (`upstream.refused`). */
  readonly status?: number;
  readonly reason?: string;
  readonly party?: FailureParty;
  /** Header fields that the final response must carry (Retry-After, Warning, Unsupported …). */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly cause?: unknown;
}

/** A typed reason why a request is refused or a call ended (DESIGN §7). Built by {@link failure} only. */
export class SipFailure extends Error {
  override readonly name = 'SipFailure';

  constructor(
    readonly code: FailureCode,
    readonly status: number,
    readonly reason: string,
    readonly party: FailureParty,
    readonly severity: FailureSeverity,
    readonly remedy: string,
    readonly headers: readonly (readonly [name: string, value: string])[],
    readonly detail: string | undefined,
    cause: unknown,
  ) {
    super(
      detail === undefined ? `${code}: ${reason}` : `${code}: ${detail}`,
      cause === undefined ? {} : { cause },
    );
  }
}

/** Builds the failure with that code from the catalogue. */
export function failure(code: FailureCode, detail: FailureDetail = {}): SipFailure {
  const base = failureCatalogue[code];
  return new SipFailure(
    code,
    detail.status ?? base.status,
    detail.reason ?? base.reason,
    detail.party ?? base.party,
    base.severity,
    base.remedy,
    detail.headers ?? [],
    detail.detail,
    detail.cause,
  );
}

/** Turns anything thrown into a failure; what is not one already is a defect and shows no detail to a peer. */
export function toFailure(thrown: unknown): SipFailure {
  return thrown instanceof SipFailure ? thrown : failure('gateway.internal', { cause: thrown });
}
