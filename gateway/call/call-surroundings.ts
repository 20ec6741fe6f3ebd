import type { Clock } from '../../sip/clock.js';
import type { MediaEngine } from '../../sip/media/media-engine.js';
import type { CallEvents } from '../telemetry/call-events.js';
import type { SideLimits } from './call-limits.js';
import type { Cdr } from './call-record.js';
import type { CallSnapshot } from './call-snapshot.js';
import type { Router } from './ports.js';

/** A call that another process might go on with. */
export interface TakeableCall {
  readonly id: string;
  /** Undefined while it cannot be taken over. */
  snapshot(): CallSnapshot | undefined;
}

/** What a call works with. */
export interface CallSurroundings {
  readonly router: Router;
  /** Media between a browser and a trunk, or between two trunks. */
  readonly anchoredMedia: MediaEngine;
  /** Media between two browsers. */
  readonly browserMedia: MediaEngine;
  /** A new `l_…` id. */
  newLegId(): string;
  readonly limits: SideLimits;
  readonly clock: Clock;
  readonly events: CallEvents;
  /** The call is established, or has changed since: its snapshot says how it is now. */
  readonly changed: (call: TakeableCall) => void;
  /** The call has ended and holds nothing any more. */
  ended(callId: string, cdr: Cdr): void;
  /** Something threw that is not a failure; the call has been cut. */
  defect(thrown: unknown): void;
}
