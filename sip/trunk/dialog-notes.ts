/** An INVITE without a final answer, as the engine knows it. */
export interface OpenInvite {
  /** The engine's own id of the transaction. */
  readonly transactionId: string;
  readonly sentBy: 'us' | 'peer';
}

/**
 * Hears which INVITEs and dialogs the engine holds for us, by the engine's own ids, so that somebody can end those that we
 * lose. An engine that runs in another process does not end them by itself when its application is gone.
 */
export interface DialogNotes {
  /** An INVITE has gone out or come in; again when it is repeated with credentials. */
  invited(dialogId: string, invite: OpenInvite): void;
  /** Confirmed: the 2xx to its INVITE has come or gone. */
  began(dialogId: string): void;
  /** Refused, or over, for the far end too as far as we can know. */
  ended(dialogId: string): void;
  /** The connection to the engine was lost before it ended: the engine may still have it. */
  left(dialogId: string): void;
}

/** For an engine that dies with us. */
export const noDialogNotes: DialogNotes = {
  invited: () => undefined,
  began: () => undefined,
  ended: () => undefined,
  left: () => undefined,
};
