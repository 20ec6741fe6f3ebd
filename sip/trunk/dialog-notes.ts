/**
 * Hears which dialogs the engine holds for us, by the engine's own id, so that somebody can end those that we lose. An
 * engine that runs in another process does not end them by itself when its application is gone.
 */
export interface DialogNotes {
  /** Confirmed: the 2xx to its INVITE has come or gone. */
  began(dialogId: string): void;
  /** Over, for the far end too as far as we can know. */
  ended(dialogId: string): void;
  /** The connection to the engine was lost before it ended: the engine may still have it. */
  left(dialogId: string): void;
}

/** For an engine that dies with us. */
export const noDialogNotes: DialogNotes = {
  began: () => undefined,
  ended: () => undefined,
  left: () => undefined,
};
