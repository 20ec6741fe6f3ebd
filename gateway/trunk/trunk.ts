import type { CallerIdRule } from '../routing/caller-id.js';
import type { HeaderRule } from '../routing/header-rule.js';
import type { NumberRule } from '../routing/number-rule.js';

/** One next hop of a trunk. */
export interface TrunkHost {
  /** `sip:host[:port][;transport=…]` */
  readonly uri: string;
  /** Lower is tried first. */
  readonly priority: number;
}

/** A configured relation with a PBX or carrier (DESIGN §2). */
export interface Trunk {
  readonly name: string;
  /** `ip`: the address is the proof. `auth`: digest when challenged. */
  readonly type: 'ip' | 'auth';
  readonly hosts: readonly TrunkHost[];
  readonly auth: { readonly username: string; readonly password: string } | undefined;
  /** What From shows instead of the calling user. */
  readonly from: { readonly user: string | undefined; readonly domain: string | undefined } | undefined;
  readonly inbound: {
    /** Addresses or CIDR blocks that may call in; undefined: the addresses of `hosts`. */
    readonly allow: readonly string[] | undefined;
    /** Numbers that may be called from here; undefined: all that a route takes. */
    readonly numbers: readonly string[] | undefined;
    /** P-Asserted-Identity is believed. */
    readonly trustIdentity?: boolean;
  };
  /** How numbers are written; undefined: as they come. */
  readonly numbers?: NumberRule | undefined;
  /** How the caller is shown; undefined: in From. */
  readonly callerId?: CallerIdRule | undefined;
  /** What else crosses; undefined: diversions. */
  readonly headers?: HeaderRule | undefined;
  readonly media: { readonly codecs: readonly string[] | undefined; readonly ptimeMs: number | undefined };
}
