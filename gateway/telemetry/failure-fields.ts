import { failureCatalogue, SipFailure, type FailureCode } from '../../sip/failure.js';

/** What the log shows of a failure. */
export function failureFields({ code, status, detail, cause }: SipFailure): object {
  return {
    code,
    status,
    ...(detail === undefined ? {} : { detail }),
    ...(cause === undefined ? {} : { cause: causeOf(cause) }),
  };
}

/** `code (detail)`, for the end of a sentence. */
export function because({ code, detail, reason }: SipFailure): string {
  return `${code}: ${detail ?? reason}`;
}

export const failureCodes = Object.keys(failureCatalogue) as readonly FailureCode[];

function causeOf(cause: unknown): string {
  if (cause instanceof SipFailure) return cause.message;
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}
