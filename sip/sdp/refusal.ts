import { failure, type FailureParty, type SipFailure } from '../failure.js';

/** Warning codes of RFC 3261 §20.43 that an SDP refusal can carry. */
export const warningCode = {
  incompatibleAddressFormat: 301,
  incompatibleTransport: 302,
  mediaTypeNotAvailable: 304,
  incompatibleFormat: 305,
  attributeNotUnderstood: 306,
  multicastNotAvailable: 330,
} as const;

export type WarningCode = (typeof warningCode)[keyof typeof warningCode];

/** Why one m-line cannot be used. */
export interface LineRefusal {
  readonly code: WarningCode;
  /** Plain words; from our own tables or from SDP tokens only, so that no quote or control character gets in. */
  readonly text: string;
}

/** Both lists, so that whoever reads the refusal sees what to configure. */
export function noSharedCodec(
  given: readonly { name: string }[],
  taken: readonly { name: string }[],
): LineRefusal {
  const list = (codecs: readonly { name: string }[]): string =>
    codecs.map((codec) => codec.name.slice(0, 20)).join(' ') || 'none';
  return {
    code: warningCode.incompatibleFormat,
    text: `no shared codec, given ${list(given)}, taken ${list(taken)}`,
  };
}

/** The SDP cannot be read: 400 with the precise reason. */
export function malformed(detail: string): SipFailure {
  return failure('media.sdp_malformed', { detail });
}

/**
 * 488 with a Warning header that names the offending line (RFC 3261 §20.43, §21.4.26). `index` is the position of the
 * m-line, from 0; the text counts from 1.
 */
export function notAcceptable(
  refusal: LineRefusal,
  line?: { readonly kind: string; readonly index: number },
  party?: FailureParty,
): SipFailure {
  const text = line === undefined ? refusal.text : `m=${line.kind} (line ${line.index + 1}): ${refusal.text}`;
  return failure('media.not_acceptable', {
    detail: text,
    headers: [['Warning', `${refusal.code} webtrunk "${quotable(text)}"`]],
    ...(party === undefined ? {} : { party }),
  });
}

/** Only what may stand in a quoted string without escapes, and no more than a header should hold. */
function quotable(text: string): string {
  return text.replace(/[^\x20-\x7e]|["\\]/g, '').slice(0, 200);
}
