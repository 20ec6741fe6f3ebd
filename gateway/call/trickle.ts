import { failure, SipFailure, toFailure } from '../../sip/failure.js';
import type { HeaderList, HeaderView, InDialogRequest, Leg } from '../../sip/leg.js';
import { trickleMismatch } from '../../sip/sdp/trickle-match.js';
import { parseTrickle, trickleContentType } from '../../sip/sdp/trickle.js';
import type { CallEvents, TrickleOutcome } from '../telemetry/call-events.js';
import type { CallMedia } from './call-media.js';

/** The Info Package of RFC 8840 §10. */
const packageName = 'trickle-ice';
/** Says that INFOs of the package are taken (RFC 6086 §5.2.2). */
export const takesTrickle: HeaderList = [['Recv-Info', packageName]];
/** What is said before the other side has taken the answer is kept; a browser has a few dozen candidates at most. */
const maxKept = 32;

/** Does the peer take trickle INFOs? */
export function isTrickling(headers: HeaderView): boolean {
  return headers
    .getAll('recv-info')
    .join(',')
    .split(',')
    .some((name) => name.trim().toLowerCase() === packageName);
}

interface TrickleTarget {
  readonly leg: Leg;
  readonly takes: boolean;
}

/**
 * Candidates that browsers send after their description (RFC 8838, RFC 8840). A media engine of ours finds the browser by
 * its checks and needs none of them: they are checked and counted. Where media goes from end to end they go to the other
 * side, if that takes them.
 */
export class Trickle {
  readonly #kept: { readonly legId: string; readonly body: string }[] = [];

  constructor(
    private readonly callId: string,
    private readonly media: CallMedia,
    private readonly targetOf: (legId: string) => TrickleTarget | undefined,
    private readonly events: Pick<CallEvents, 'callTrickled'>,
  ) {}

  /** Answers an INFO that names a package (RFC 6086 §4.2.2). */
  receive(legId: string, request: InDialogRequest): void {
    const refusal = this.#fault(legId, request);
    if (refusal !== undefined) {
      this.#note(legId, 'refused', refusal);
      const { status, reason, headers } = refusal;
      return request.respond(status, reason, [...headers, ...warning(refusal)]);
    }
    request.respond(200, 'OK');
    if (!this.media.isDirect) return this.#note(legId, 'not_needed');
    const to = this.targetOf(legId);
    if (to !== undefined) return this.#pass(legId, to, request.body);
    if (this.#kept.length >= maxKept) return this.#note(legId, 'lost');
    this.#kept.push({ legId, body: request.body });
  }

  /** The callee has answered, or the caller has acknowledged: what was sent to it meanwhile can go. */
  release(): void {
    for (const kept of this.#kept.splice(0)) {
      const to = this.targetOf(kept.legId);
      if (to === undefined) this.#kept.push(kept);
      else this.#pass(kept.legId, to, kept.body);
    }
  }

  #fault(legId: string, { headers, contentType, body }: InDialogRequest): SipFailure | undefined {
    if (headers.get('info-package')?.trim().toLowerCase() !== packageName) {
      return failure('dialog.info_package', { headers: takesTrickle });
    }
    const type = contentType?.split(';', 1)[0]?.trim().toLowerCase();
    if (type !== trickleContentType) {
      return failure('dialog.info_content', { headers: [['Accept', trickleContentType]] });
    }
    const fragment = parseTrickle(body);
    return fragment instanceof SipFailure
      ? fragment
      : trickleMismatch(fragment, this.media.descriptionsOf(legId));
  }

  #pass(legId: string, { leg, takes }: TrickleTarget, fragment: string): void {
    if (!takes) return this.#note(legId, 'lost');
    const body = this.media.passFragment(fragment);
    const headers: HeaderList = [
      ['Info-Package', packageName],
      ['Content-Disposition', 'Info-Package'],
    ];
    leg.request('INFO', { contentType: trickleContentType, body }, headers).then(
      ({ status, reason }) =>
        status < 300
          ? this.#note(legId, 'passed')
          : this.#note(legId, 'lost', failure('upstream.refused', { status, reason })),
      (thrown: unknown) => this.#note(legId, 'lost', toFailure(thrown)),
    );
  }

  #note(legId: string, outcome: TrickleOutcome, why?: SipFailure): void {
    const fields = { callId: this.callId, legId, outcome };
    this.events.callTrickled(why === undefined ? fields : { ...fields, failure: why });
  }
}

/** The reason, for whoever writes the client (RFC 3261 §20.43). */
function warning({ detail }: SipFailure): HeaderList {
  return detail === undefined ? [] : [['Warning', `399 webtrunk "${detail.replace(/["\\]/g, "'")}"`]];
}
