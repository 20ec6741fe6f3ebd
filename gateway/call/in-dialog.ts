import { failure, toFailure, type SipFailure } from '../../sip/failure.js';
import type { HeaderList, HeaderView, InDialogRequest, Leg } from '../../sip/leg.js';
import type { DtmfTone } from '../../sip/media/media-engine.js';
import type { CallEvents } from '../telemetry/call-events.js';
import type { CallMedia } from './call-media.js';
import type { Attempt } from './callee-search.js';
import { readDtmfInfo, writeDtmfInfo, type DtmfContentType } from './dtmf-info.js';
import { forwardedHeaders } from './header-policy.js';
import type { CallSource, CalleeTarget } from './ports.js';
import { isTrickling, takesTrickle, Trickle } from './trickle.js';

/** Methods that are carried from one leg to the other: DTMF and text (RFC 6086, RFC 3428). */
const carried: ReadonlySet<string> = new Set(['INFO', 'MESSAGE']);

const allow = 'INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, MESSAGE, UPDATE, PRACK';

/** As many as an end's RTP takes in the other direction. */
const maxTones = 32;

/** A tone that becomes an INFO to a leg. */
interface ToneInfo {
  readonly leg: Leg;
  readonly content: ReturnType<typeof writeDtmfInfo>;
}

/** Answers a request that concerns only the leg it came on, or that comes too early or too late to be carried. */
export function answerLocally(request: InDialogRequest): void {
  if (request.method === 'OPTIONS') return request.respond(200, 'OK', [['Allow', allow]]);
  if (carried.has(request.method)) return request.respond(480, 'Temporarily Unavailable');
  request.respond(405, 'Method Not Allowed', [['Allow', allow]]);
}

/** A leg, and how its PBX wants DTMF when that is not in RTP. */
interface Side {
  readonly leg: Leg;
  readonly infoDtmf: DtmfContentType | undefined;
}

/** The call that requests and tones belong to. */
interface TalkingCall {
  readonly id: string;
  readonly caller: Leg;
  readonly source: CallSource;
  readonly incoming: { readonly headers: HeaderView };
}

/**
 * Requests inside the dialogs of an answered call, and tones: what one side sends in an INFO and the other wants in RTP
 * (RFC 4733), or the other way round, is turned into that.
 */
export class InDialog {
  /** The INFOs of tones go one after the other, or digits would be swapped; the first one waits for its answer. */
  readonly #tones: ToneInfo[] = [];
  readonly #trickle: Trickle;
  #calleeTrickles = false;
  #isAcknowledged = false;

  constructor(
    private readonly call: TalkingCall,
    private readonly media: CallMedia,
    private readonly connected: () => Pick<Attempt, 'leg' | 'target'> | undefined,
    private readonly events: Pick<CallEvents, 'callToneLost' | 'callTrickled'>,
  ) {
    media.hearTones((endId, tone) => this.#heard(endId, tone));
    const targetOf = (legId: string) => this.#trickleTarget(legId);
    this.#trickle = new Trickle(call.id, media, targetOf, events);
  }

  /** Header fields of the INVITE to this target: what crosses, and whether it may trickle. */
  inviteHeaders(target: CalleeTarget): HeaderList {
    const { incoming, source } = this.call;
    const crossing = forwardedHeaders(incoming.headers, source.side);
    const mayTrickle = !this.media.isDirect || isTrickling(incoming.headers);
    return target.side === 'browser' && mayTrickle ? [...crossing, ...takesTrickle] : crossing;
  }

  /** The callee has answered with these header fields; returns those of the answer to the caller. */
  answered(headers: HeaderView): HeaderList {
    this.#calleeTrickles = isTrickling(headers);
    this.#trickle.release();
    return this.#callerMayTrickle(headers);
  }

  /** The callee has described its media early; returns header fields of the 18x to the caller: of a reliable one (RFC 6086 §5.2.3). */
  progressed(headers: HeaderView): HeaderList {
    const { headers: asked } = this.call.incoming;
    const isReliable = [...asked.getAll('supported'), ...asked.getAll('require')].join().includes('100rel');
    return isReliable ? this.#callerMayTrickle(headers) : [];
  }

  /** The caller has acknowledged: it has the answer that the callee's candidates belong to. */
  acknowledged(): void {
    this.#isAcknowledged = true;
    this.#trickle.release();
  }

  /** Carries the request of one leg to the other and answers it with what that answered. */
  forward(legId: string, request: InDialogRequest): void {
    if (isPackaged(request)) return this.#trickle.receive(legId, request);
    const [from, to] = this.#sides(legId);
    if (to === undefined || !carried.has(request.method)) return answerLocally(request);
    const tone = request.method === 'INFO' ? readDtmfInfo(request.contentType, request.body) : undefined;
    if (tone === undefined) return pass(request, to.leg);
    if (to.infoDtmf !== undefined) return pass(request, to.leg, writeDtmfInfo(tone, to.infoDtmf));
    // A browser's application may wait for the INFO of a PBX that is said to use RTP.
    if (to.leg.side === 'browser' && from?.infoDtmf === undefined) return pass(request, to.leg);
    void this.media.sendDtmf(to.leg.id, tone).then((isTaken) => {
      if (isTaken) request.respond(200, 'OK');
      else pass(request, to.leg);
    });
  }

  /** The media engine has taken a tone out of a leg's RTP. */
  #heard(legId: string, tone: DtmfTone): void {
    const [, to] = this.#sides(legId);
    if (to?.infoDtmf === undefined)
      return this.#lost(failure('dialog.unknown', { detail: 'nobody has answered' }));
    if (this.#tones.length >= maxTones) return this.#lost(failure('limit.tones'));
    this.#tones.push({ leg: to.leg, content: writeDtmfInfo(tone, to.infoDtmf) });
    if (this.#tones.length === 1) void this.#sendTones();
  }

  async #sendTones(): Promise<void> {
    for (let tone = this.#tones[0]; tone !== undefined; tone = this.#tones[0]) {
      await this.#send(tone);
      this.#tones.shift();
    }
  }

  async #send({ leg, content }: ToneInfo): Promise<void> {
    try {
      const { status, reason } = await leg.request('INFO', content);
      if (status >= 300) this.#lost(failure('upstream.refused', { status, reason }));
    } catch (thrown) {
      this.#lost(toFailure(thrown));
    }
  }

  #lost(why: SipFailure): void {
    this.events.callToneLost({ callId: this.call.id, failure: why });
  }

  #callerMayTrickle(ofCallee: HeaderView): HeaderList {
    if (this.call.source.side !== 'browser') return [];
    return !this.media.isDirect || isTrickling(ofCallee) ? takesTrickle : [];
  }

  #trickleTarget(legId: string): { readonly leg: Leg; readonly takes: boolean } | undefined {
    const leg = this.#sides(legId)[1]?.leg;
    if (leg === undefined) return undefined;
    const isToCaller = leg === this.call.caller;
    // Interop: sip.js drops an INFO without an answer until it has taken the 200.
    if (isToCaller && !this.#isAcknowledged) return undefined;
    return { leg, takes: isToCaller ? isTrickling(this.call.incoming.headers) : this.#calleeTrickles };
  }

  /** The leg of that id, and the other one; undefined until the callee has answered. */
  #sides(legId: string): readonly [from: Side | undefined, to: Side | undefined] {
    const { caller: leg, source } = this.call;
    const callee = this.connected();
    const infoOfCaller = source.side === 'trunk' ? source.media.infoDtmf : undefined;
    const caller = { leg, infoDtmf: infoOfCaller };
    const other =
      callee === undefined ? undefined : { leg: callee.leg, infoDtmf: callee.target.media.infoDtmf };
    return legId === leg.id ? [caller, other] : [other, caller];
  }
}

/** An INFO of an Info Package (RFC 6086), not one of those that were before. */
function isPackaged({ method, headers }: InDialogRequest): boolean {
  return method === 'INFO' && headers.get('info-package') !== undefined;
}

/** Sends the request on in the other leg's dialog and answers it with what the other side answered. */
function pass(
  request: InDialogRequest,
  to: Leg,
  changed?: { readonly contentType: string; readonly body: string },
): void {
  const own =
    request.contentType === undefined ? undefined : { contentType: request.contentType, body: request.body };
  to.request(request.method, changed ?? own).then(
    (response) => request.respond(response.status, response.reason),
    (thrown: unknown) => {
      const { status, reason } = toFailure(thrown);
      request.respond(status, reason);
    },
  );
}
