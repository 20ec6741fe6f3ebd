import type { Clock } from '../../sip/clock.js';
import { failure, toFailure } from '../../sip/failure.js';
import type { DialogNotes, TrunkStack } from '../../sip/trunk/srf.js';
import type { LeftDialogOutcome, ProcessEvents } from '../telemetry/process-events.js';
import { DialogJournal, type LeftBehind } from './dialog-journal.js';

/** BYEs that are on their way at a time: the PBX is to have time for calls that go on. */
const atOnce = 20;

type LeftDialogEnder = Pick<TrunkStack, 'endLeftDialog' | 'endLeftInvite' | 'connected'>;
type LeftDialogEvents = Pick<ProcessEvents, 'leftDialog' | 'dialogJournalFailed'>;

/** Ends the INVITEs and dialogs that an earlier process, or a lost connection, left behind in drachtio-server. */
export class LeftDialogs {
  #state: 'closed' | 'idle' | 'ending' = 'closed';

  private constructor(
    private readonly journal: DialogJournal,
    private readonly events: LeftDialogEvents,
  ) {}

  /** With the journal in `file`; undefined without one. */
  static inFile(file: string | undefined, events: LeftDialogEvents, clock: Clock): LeftDialogs | undefined {
    if (file === undefined) return undefined;
    const failed = (cause: unknown): void => events.dialogJournalFailed({ file, cause });
    return new LeftDialogs(new DialogJournal(file, failed, clock), events);
  }

  /** For the trunk stack to tell which dialogs are up. */
  get notes(): DialogNotes {
    return this.journal;
  }

  /** Dialogs that are up or left. */
  get size(): number {
    return this.journal.size;
  }

  /**
   * Takes over what an earlier process has left, but for the dialogs that another node goes on with: see
   * {@link DialogJournal.open}. Ending it goes on afterwards.
   */
  async takeOver(stack: LeftDialogEnder, elsewhere: ReadonlySet<string> = new Set()): Promise<void> {
    await this.journal.open();
    for (const dialogId of elsewhere) this.journal.ended(dialogId);
    if (this.#state !== 'closed') return;
    this.#state = 'idle';
    void this.endAll(stack);
  }

  /**
   * Tries each one; to be called whenever the engine is there. When it goes away meanwhile, the rest stays in the journal.
   * Never rejects.
   */
  async endAll(stack: LeftDialogEnder): Promise<void> {
    if (this.#state !== 'idle' || !stack.connected) return;
    this.#state = 'ending';
    const left = this.journal.leftBehind;
    const waiting = left.values();
    const work = async (): Promise<void> => {
      for (const each of waiting) {
        if (!(await this.#end(stack, each))) return;
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    if (left.length > 0) this.journal.compact();
    this.#state = 'idle';
  }

  /** Resolves when the journal is written. Idempotent. */
  close(): Promise<void> {
    return this.journal.close();
  }

  /** False when there is no engine any more. */
  async #end(stack: LeftDialogEnder, left: LeftBehind): Promise<boolean> {
    const { dialogId } = left;
    const { outcome, detail } = await endOne(stack, left);
    if (outcome === 'engine_away') return false;
    this.journal.ended(dialogId);
    this.events.leftDialog({ dialogId, outcome, detail });
    return true;
  }
}

interface Outcome {
  readonly outcome: LeftDialogOutcome | 'engine_away';
  readonly detail: string;
}

/** An INVITE that is not known any more has been answered: then there is a dialog. */
async function endOne(stack: LeftDialogEnder, { dialogId, invite }: LeftBehind): Promise<Outcome> {
  const withdrawn = invite === undefined ? undefined : await attempt(() => stack.endLeftInvite(invite));
  if (withdrawn !== undefined && withdrawn.outcome !== 'unknown') return withdrawn;
  return attempt(async () => {
    const { status, reason } = await stack.endLeftDialog(dialogId);
    const answer = `BYE: ${status} ${reason}`.trim();
    if (status < 300) return answer;
    throw failure(status === 481 ? 'dialog.unknown' : 'upstream.refused', { detail: answer });
  });
}

async function attempt(act: () => Promise<string>): Promise<Outcome> {
  try {
    return { outcome: 'ended', detail: await act() };
  } catch (thrown) {
    const { code, reason, detail = reason } = toFailure(thrown);
    if (code === 'trunk.engine_away') return { outcome: 'engine_away', detail };
    return { outcome: code === 'dialog.unknown' ? 'unknown' : 'failed', detail };
  }
}
