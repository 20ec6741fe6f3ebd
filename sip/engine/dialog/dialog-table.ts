import type { Dialog } from './dialog.js';

const keyOf = (callId: string, localTag: string, remoteTag: string): string =>
  `${callId}|${localTag}|${remoteTag}`;

/** All dialogs: by the id that applications use, and by Call-ID and tags as messages carry them. */
export class DialogTable {
  /** The dialog that an application means; of several early forks the latest. Removed with its dialog. */
  private readonly byId = new Map<string, Dialog>();
  private readonly byTags = new Map<string, Dialog>();

  get size(): number {
    return this.byTags.size;
  }

  /** Enters a dialog; it becomes the one that its id names, unless no application is to know it. */
  add(dialog: Dialog, isNamed = true): void {
    this.byTags.set(keyOf(dialog.callId, dialog.localTag, dialog.remoteTag), dialog);
    if (isNamed) this.byId.set(dialog.id, dialog);
  }

  /** Makes its id name this dialog (of several forks). */
  select(dialog: Dialog): void {
    this.byId.set(dialog.id, dialog);
  }

  /** The dialog of that id. */
  named(id: string): Dialog | undefined {
    return this.byId.get(id);
  }

  /** The dialog of a message: `localTag` is ours, `remoteTag` the peer's. */
  find(callId: string, localTag: string, remoteTag: string): Dialog | undefined {
    return this.byTags.get(keyOf(callId, localTag, remoteTag));
  }

  /** Ends a dialog and all that belongs to it. Idempotent. */
  end(dialog: Dialog): void {
    if (dialog.state === 'ended') return;
    dialog.state = 'ended';
    this.byTags.delete(keyOf(dialog.callId, dialog.localTag, dialog.remoteTag));
    if (this.byId.get(dialog.id) === dialog) this.byId.delete(dialog.id);
    const held = dialog.answer?.held ?? [];
    dialog.answer?.stop();
    dialog.answer = undefined;
    dialog.awaitingAck = undefined;
    for (const clean of dialog.cleanups.splice(0)) clean();
    for (const start of held) start();
  }

  all(): Dialog[] {
    return [...this.byTags.values()];
  }
}
