import type { RegisterAnswer } from '../../sip/trunk/trunk-registration.js';

/** What is to be done about an answer to REGISTER. */
export type RegistrationStep =
  | { readonly kind: 'registered'; readonly expiresSeconds: number }
  /** 423: the registrar wants longer bindings (RFC 3261 §10.2.8). */
  | { readonly kind: 'ask_longer'; readonly expiresSeconds: number }
  /** The registrar says when to come back (RFC 3261 §20.33). */
  | { readonly kind: 'wait'; readonly seconds: number }
  /** This host cannot, perhaps not for so long; another one may (RFC 3261 §21.5.4). */
  | { readonly kind: 'elsewhere'; readonly notForSeconds: number | undefined }
  /** Somebody has to change something first: trying often only gets our address blocked. */
  | { readonly kind: 'slow' }
  | { readonly kind: 'retry' };

/** Longest wait that a Retry-After may ask for. */
const longestWaitSeconds = 3_600;

/** What follows from an answer to a REGISTER that asked for `wantedSeconds`. */
export function nextStep(answer: RegisterAnswer, wantedSeconds: number): RegistrationStep {
  const { status, expiresSeconds = wantedSeconds, minExpiresSeconds = 0 } = answer;
  if (status < 300) return expiresSeconds > 0 ? { kind: 'registered', expiresSeconds } : { kind: 'retry' };
  if (status === 423 && minExpiresSeconds > wantedSeconds) {
    return { kind: 'ask_longer', expiresSeconds: minExpiresSeconds };
  }
  const seconds = retryAfterOf(answer);
  if (status === 408 || (status >= 500 && status < 600)) return { kind: 'elsewhere', notForSeconds: seconds };
  if (seconds !== undefined) return { kind: 'wait', seconds };
  if (status === 401 || status === 407 || status === 403 || status === 404) return { kind: 'slow' };
  return { kind: 'retry' };
}

/** "At once" is no wait that anybody can ask for: undefined, as without Retry-After. */
function retryAfterOf({ retryAfterSeconds = 0 }: RegisterAnswer): number | undefined {
  return retryAfterSeconds > 0 ? Math.min(retryAfterSeconds, longestWaitSeconds) : undefined;
}

/** The answer as the carrier wrote it, and what it means where that is not plain. */
export function answerText({ status, reason, refusedBecause }: RegisterAnswer): string {
  const words = `${status} ${reason}`.trim();
  return refusedBecause === undefined ? words : `${words}: ${refusedBecause}`;
}
