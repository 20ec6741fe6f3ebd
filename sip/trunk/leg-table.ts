import type { SipFailure } from '../failure.js';
import { tagOf, type SipRequest } from '../message/index.js';
import type { SrfRequest, SrfResponse } from './srf-types.js';

/** What the ingress and the connection need of a leg. */
export interface TableLeg {
  readonly id: string;
  /** A request inside the leg's dialog that srf does not attach to it: the dialog is early, or its answer unacknowledged. */
  receiveEarly(message: SipRequest, request: SrfRequest, response: SrfResponse): void;
  /** The engine is gone. */
  lose(why: SipFailure): void;
}

/** `<Call-ID>;from-tag=<tag>` with the From tag of the INVITE: drachtio's own name of a dialog. */
export function dialogKey(callId: string, fromTag: string): string {
  return `${callId};from-tag=${fromTag}`;
}

/**
 * The same for the leg of a caller: when a proxy sends an INVITE of ours back to us, both ends of the one dialog are here.
 */
export function callerKey(callId: string, fromTag: string): string {
  return `${dialogKey(callId, fromTag)};caller`;
}

/** The legs of one trunk stack by dialog. A leg puts itself in when it begins and takes itself out when it ends. */
export class LegTable {
  readonly #legs = new Map<string, TableLeg>();

  get size(): number {
    return this.#legs.size;
  }

  add(key: string, leg: TableLeg): void {
    this.#legs.set(key, leg);
  }

  has(key: string): boolean {
    return this.#legs.has(key);
  }

  /** Only the leg itself can take itself out. */
  remove(key: string, leg: TableLeg): void {
    if (this.#legs.get(key) === leg) this.#legs.delete(key);
  }

  /** The leg of an in-dialog request, whichever side sent the INVITE. */
  find(request: SipRequest): TableLeg | undefined {
    const { callId } = request;
    const fromTag = tagOf(request.from);
    const caller = fromTag === undefined ? undefined : this.#legs.get(callerKey(callId, fromTag));
    return caller ?? this.#byTag(callId, fromTag) ?? this.#byTag(callId, tagOf(request.to));
  }

  all(): readonly TableLeg[] {
    return [...this.#legs.values()];
  }

  #byTag(callId: string, tag: string | undefined): TableLeg | undefined {
    return tag === undefined ? undefined : this.#legs.get(dialogKey(callId, tag));
  }
}
