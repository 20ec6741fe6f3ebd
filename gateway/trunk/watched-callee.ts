import type { SipFailure } from '../../sip/failure.js';
import type { CalleeListener } from '../../sip/leg.js';
import type { Release } from './channels.js';

/** What is told of an attempt beside its call. */
export interface AttemptWatch {
  /** The host has said something. */
  heard(answer: string): void;
  /** Nobody was there. */
  missed(): void;
  /** The attempt, or the call that came of it, is over. May come twice. */
  readonly over: Release;
}

/** Tells `watch` what happens to a callee leg, and `listener` all of it. */
export function watchedCallee(listener: CalleeListener, watch: AttemptWatch): CalleeListener {
  return {
    trying: () => listener.trying?.(),
    progress(progress) {
      watch.heard(`${progress.status} ${progress.reason}`);
      listener.progress(progress);
    },
    answered(answer) {
      watch.heard(`${answer.status} ${answer.reason}`);
      listener.answered(answer);
    },
    failed(refusal, headers) {
      watch.over(refusal.code === 'auth.challenged' ? 'unused' : undefined);
      if (isSilence(refusal)) watch.missed();
      else if (headers !== undefined && refusal.status !== 408 && refusal.status !== 503) {
        watch.heard(`${refusal.status} ${refusal.reason}`);
      }
      listener.failed(refusal, headers);
    },
    reoffer: (reoffer) => listener.reoffer(reoffer),
    request: (request) => listener.request(request),
    ended(end) {
      watch.over();
      listener.ended(end);
    },
  };
}

function isSilence({ code }: SipFailure): boolean {
  return code === 'trunk.timeout' || code === 'trunk.unreachable';
}
