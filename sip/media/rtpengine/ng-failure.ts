/**
 * Why a command had no success. `silent`: no answer before the deadline. `unreachable`: the address refuses or cannot be
 * sent to. `busy`: it takes no new calls. `refused`: it answered with an error. `garbled`: its answer cannot be read.
 * `closed`: our side was closed.
 */
export type NgFailureKind = 'silent' | 'unreachable' | 'busy' | 'refused' | 'garbled' | 'closed';

/** A command to rtpengine that failed; becomes a SipFailure before it leaves the engine. */
export class NgFailure extends Error {
  override readonly name = 'NgFailure';

  constructor(
    readonly kind: NgFailureKind,
    detail: string,
  ) {
    super(detail);
  }

  /** True when another instance may take the call. */
  get isWorthAnotherInstance(): boolean {
    return this.kind !== 'closed';
  }

  /** True when nobody answered, so that the instance's health is in doubt. */
  get isNoAnswer(): boolean {
    return this.kind === 'silent' || this.kind === 'unreachable';
  }
}
