import type { HeaderList, Party } from '../leg.js';

/** A request outside any dialog. */
export interface TrunkMessage {
  /** Contact value; the engine puts its own address for `@localhost`. Undefined: our own with the user of From. */
  readonly contact?: string;
  /** User part of our URI in Path (RFC 3327); undefined: the request bears none. */
  readonly pathUser?: string;
  readonly from: Party;
  readonly to: Party;
  readonly content?: { readonly contentType: string; readonly body: string };
  readonly headers?: HeaderList;
  /** Undefined: new ones. */
  readonly ids?: { readonly callId: string; readonly fromTag: string };
}
