import type { Timer } from '../clock.js';
import type { SipFailure } from '../failure.js';
import type { HeaderList } from '../leg.js';
import type { Log } from '../log.js';
import type { SipRequest } from '../message/index.js';
import type { EndpointUserAgent } from './endpoint-user-agent.js';

/** A leg as its endpoint sees it. */
export interface BrowserLeg {
  readonly id: string;
  readonly sipCallId: string;
  /** Ends the leg without a word to the peer. */
  lose(failure: SipFailure): void;
  /** The endpoint has another flow. */
  resumed?(): void;
}

/** What the legs of an endpoint share with it. */
export interface EndpointContext {
  readonly core: EndpointUserAgent;
  readonly log: Log;
  /** Contact, Allow and Supported of ours, for requests and responses that make or refresh a dialog. */
  readonly dialogHeaders: HeaderList;
  /** The same as lines. */
  readonly dialogLines: readonly string[];
  /** Answers a request, but no ACK, with a failure outside any transaction: it is told, and sent again on a new flow. */
  refuse(request: SipRequest, refusal: SipFailure): void;
  addLeg(leg: BrowserLeg): void;
  removeLeg(leg: BrowserLeg): void;
  /**
   * Runs `act`; whatever it throws is logged, goes to `rescue` as a failure and does no further harm. For whatever
   * sip.js or a timer calls, and for what others listen with.
   */
  safely(act: () => void, rescue?: (broken: SipFailure) => void): void;
  /** A timer whose `act` runs safely. */
  after(delayMs: number, act: () => void): Timer;
}
