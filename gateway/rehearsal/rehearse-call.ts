import type { Clock } from '../../sip/clock.js';
import { failure, SipFailure, toFailure } from '../../sip/failure.js';
import type { RehearsedMessage } from '../../sip/engine/transport/rehearsed-channel.js';
import type { CalleeListener, HeaderView } from '../../sip/leg.js';
import { newId } from '../../sip/message/index.js';
import { browserEnd, type MediaEngine } from '../../sip/media/media-engine.js';
import type { CallRouter, ExplainedPlan } from '../call/call-router.js';
import { CalleeSearch } from '../call/callee-search.js';
import { forwardedHeaders } from '../call/header-policy.js';
import type { CallSource, CalleeTarget, RoutableCall } from '../call/ports.js';
import { sampleOffer } from './sample-offer.js';

/** What would happen at one target. */
export interface RehearsedAttempt {
  readonly target: CalleeTarget;
  /** The INVITE as it would leave; undefined for a browser, which is asked through its WebSocket. */
  readonly invite: RehearsedMessage | undefined;
  /** Why no INVITE could be written, or why it has no SDP. */
  readonly trouble: readonly SipFailure[];
}

/** What would happen to a call. */
export interface RehearsedCall {
  /** What the operator should know beside. */
  readonly notes: readonly string[];
  readonly explained: ExplainedPlan;
  readonly attempts: readonly RehearsedAttempt[];
}

export interface RehearsalOptions {
  readonly router: CallRouter;
  readonly media: MediaEngine;
  readonly clock: Clock;
  /** Sets who hears of every message that would leave. */
  hear(sent: (message: RehearsedMessage) => void): void;
}

/** Longer than the retries of DNS. */
const writtenWithinMs = 10_000;

const noHeaders: HeaderView = { get: () => undefined, getAll: () => [] };

/** Routes a call as the gateway would, and writes every INVITE that would leave. Throws a SipFailure when it has no number. */
export async function rehearseCall(
  call: { readonly requestUri: string; readonly from: string; readonly source: CallSource },
  atMs: number,
  options: RehearsalOptions,
): Promise<Omit<RehearsedCall, 'notes'>> {
  const { requestUri, from, source } = call;
  const incoming: RoutableCall = { requestUri, from: { uri: from }, headers: noHeaders };
  const explained = await options.router.explain(incoming, source, atMs);
  const attempts: RehearsedAttempt[] = [];
  if (!(explained.plan instanceof SipFailure)) {
    for (const target of explained.plan.stages.flat()) {
      attempts.push(await rehearseAttempt(target, source, options));
    }
  }
  return { explained, attempts };
}

async function rehearseAttempt(
  target: CalleeTarget,
  source: CallSource,
  options: RehearsalOptions,
): Promise<RehearsedAttempt> {
  if (target.side === 'browser') return { target, invite: undefined, trouble: [] };
  const trouble: SipFailure[] = [];
  const legId = newId('l_');
  const session = options.media.createSession(newId('c_'), { timeout: () => undefined });
  try {
    const callerId = newId('l_');
    session.addEnd(callerId, source.side === 'browser' ? browserEnd : source.media);
    session.addEnd(legId, target.media);
    const sdp = await session.offer(callerId, legId, sampleOffer).catch((thrown: unknown) => {
      trouble.push(toFailure(thrown));
      return undefined;
    });
    const invite = await written(target, legId, sdp, source, options);
    return { target, invite, trouble };
  } catch (thrown) {
    return { target, invite: undefined, trouble: [...trouble, toFailure(thrown)] };
  } finally {
    session.close();
  }
}

/** Sends the INVITE by the code that calls use, and gives what reached the wire. */
function written(
  target: CalleeTarget,
  legId: string,
  sdp: string | undefined,
  source: CallSource,
  options: RehearsalOptions,
): Promise<RehearsedMessage> {
  const { clock } = options;
  return new Promise((resolve, reject) => {
    const late = clock.after(writtenWithinMs, () => reject(failure('trunk.timeout')));
    const done = (settle: () => void): void => {
      late.cancel();
      settle();
    };
    const search = new CalleeSearch(clock, { overdue: () => undefined, failed: () => undefined });
    options.hear((message) => {
      if (message.bytes.subarray(0, 7).toString() === 'INVITE ') done(() => resolve(message));
    });
    const headers = forwardedHeaders(noHeaders, source.side);
    try {
      search.invite(target, { legId, sdp, headers, startedMs: clock.nowMs() }, listenerFor(reject, done));
    } catch (thrown) {
      done(() => reject(toFailure(thrown)));
    }
  });
}

function listenerFor(reject: (why: SipFailure) => void, done: (settle: () => void) => void): CalleeListener {
  return {
    failed: (why) => done(() => reject(why)),
    ended: () => undefined,
    progress: () => undefined,
    answered: (answer) => answer.ack(),
    reoffer: (reoffer) => reoffer.reject(failure('dialog.unknown')),
    request: (request) => request.respond(481),
  };
}
