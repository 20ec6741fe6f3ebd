import type { MediaEndOptions } from '../../sip/media/media-engine.js';
import type { CallerIdRule } from '../routing/caller-id.js';
import type { HeaderRule } from '../routing/header-rule.js';
import type { NumberRule } from '../routing/number-rule.js';

/** Limits of a trunk or user; undefined: none. */
export interface CallLimits {
  /** Calls at a time, both directions together. */
  readonly channels?: number | undefined;
  /** New calls in a second. */
  readonly cps?: number | undefined;
  readonly maxDurationMs?: number | undefined;
  readonly maxRingMs?: number | undefined;
}

/** One next hop of a trunk. */
export interface TrunkHost {
  /** `sip:host[:port][;transport=…]` */
  readonly uri: string;
  /** Lower is tried first. */
  readonly priority: number;
  /** Share of the calls among those of the same priority; undefined: 10. */
  readonly weight?: number;
}

/** A configured relation with a PBX or carrier (DESIGN §2). */
export interface Trunk {
  readonly name: string;
  /** `ip`: the address is the proof. `auth`: digest when challenged. `register`: we sign in there too. */
  readonly type: 'ip' | 'auth' | 'register';
  readonly hosts: readonly TrunkHost[];
  readonly auth:
    { readonly username: string; readonly password: string; readonly realm?: string | undefined } | undefined;
  /** How it is signed in to; undefined: not at all. */
  readonly register?: { readonly expiresMs: number; readonly retryMs: number } | undefined;
  /** How its hosts are watched; undefined: not at all. */
  readonly options?: { readonly everyMs: number; readonly failAfter: number } | undefined;
  /** How long a call waits for a host; undefined: as long as for any. */
  readonly attemptTimeoutMs?: number | undefined;
  readonly progressTimeoutMs?: number | undefined;
  /** Statuses after which the next target is tried; undefined: 408 and 5xx. */
  readonly failoverOn?: readonly number[] | undefined;
  readonly limits?: CallLimits | undefined;
  /** What From shows instead of the calling user. */
  readonly from: { readonly user: string | undefined; readonly domain: string | undefined } | undefined;
  readonly inbound: {
    /** Addresses or CIDR blocks that may call in; undefined: the addresses of `hosts`. */
    readonly allow: readonly string[] | undefined;
    /** Numbers that may be called from here; undefined: all that a route takes. */
    readonly numbers: readonly string[] | undefined;
    /** P-Asserted-Identity is believed. */
    readonly trustIdentity?: boolean;
    /** Where the called number stands; undefined: in the Request-URI. */
    readonly numberFrom?: 'request_uri' | 'to';
  };
  /** How numbers are written; undefined: as they come. */
  readonly numbers?: NumberRule | undefined;
  /** How the caller is shown; undefined: in From. */
  readonly callerId?: CallerIdRule | undefined;
  /** What else crosses; undefined: diversions. */
  readonly headers?: HeaderRule | undefined;
  readonly media: {
    readonly codecs: readonly string[] | undefined;
    readonly ptimeMs: number | undefined;
    /** Video codecs; undefined or empty: no video. */
    readonly video?: readonly string[];
    /** Undefined: `rfc4733`, events in RTP; else INFO with `application/dtmf-relay`, or with `application/dtmf`. */
    readonly dtmf?: 'rfc4733' | 'info' | 'info_dtmf';
    /** SRTP with keys in SDP; undefined: `off`. */
    readonly srtp?: 'off' | 'optional' | 'required';
  };
}

/** What a trunk's media end speaks, and how it wants DTMF when that is not in RTP. */
export interface TrunkMedia extends MediaEndOptions {
  readonly infoDtmf?: 'application/dtmf-relay' | 'application/dtmf';
}
