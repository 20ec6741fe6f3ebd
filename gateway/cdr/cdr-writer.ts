import type { Clock } from '../../sip/clock.js';
import type { Cdr } from '../call/call-record.js';
import type { CdrConfig } from '../config/config.js';
import type { ProcessEvents } from '../telemetry/process-events.js';
import { RotatingFile } from './rotating-file.js';
import { Spool } from './spool.js';
import { Webhook } from './webhook.js';

/** The queue of a receiver that is down takes no more than this. */
const maxSpoolBytes = 1024 * 1024 * 1024;

export type CdrEvents = Pick<ProcessEvents, 'cdrFailed' | 'cdrWebhookDown' | 'cdrWebhookUp' | 'cdrRejected'>;

export interface CdrWriterOptions {
  readonly config: CdrConfig;
  readonly events: CdrEvents;
  readonly clock: Clock;
}

/** Writes one JSON line for each call that has ended: to a file, and to a queue on the disk that a webhook is fed from. */
export class CdrWriter {
  private constructor(
    private readonly file: RotatingFile | undefined,
    private readonly spool: Spool | undefined,
    private readonly webhook: Webhook | undefined,
    private readonly events: CdrEvents,
  ) {}

  /** Begins with what an earlier process could not deliver. Rejects when the queue cannot be read and written. */
  static async open({ config, events, clock }: CdrWriterOptions): Promise<CdrWriter> {
    const file = config.file === undefined ? undefined : fileOf(config.file, events, clock);
    if (config.webhook === undefined) return new CdrWriter(file, undefined, undefined, events);
    const { url, token, timeoutMs, queue } = config.webhook;
    const spool = await Spool.open(queue, maxSpoolBytes);
    const webhook = new Webhook({
      url,
      token: token?.reveal(),
      timeoutMs,
      spool,
      rejectedPath: `${queue}.rejected`,
      clock,
      events: {
        down: (cause, waiting) => events.cdrWebhookDown({ cause, waiting }),
        up: (waiting) => events.cdrWebhookUp({ waiting }),
        rejected: (status) => events.cdrRejected({ status }),
      },
    });
    webhook.wake();
    return new CdrWriter(file, spool, webhook, events);
  }

  /** Records that are not where they belong yet. */
  get waiting(): number {
    return (this.file?.waiting ?? 0) + (this.spool?.waiting ?? 0);
  }

  write(cdr: Cdr): void {
    const line = JSON.stringify(cdr);
    this.file?.write(line);
    void this.#enqueue(line);
  }

  /** Resolves when everything is on the disk. Idempotent. */
  async close(): Promise<void> {
    await this.file?.close();
    await this.webhook?.close();
    await this.spool?.close();
  }

  async #enqueue(line: string): Promise<void> {
    try {
      const isIn = (await this.spool?.add(line)) ?? true;
      if (!isIn)
        this.events.cdrFailed({ cause: new Error('the queue of the webhook is full'), record: line });
      this.webhook?.wake();
    } catch (cause) {
      this.events.cdrFailed({ cause, record: line });
    }
  }
}

function fileOf(
  { path, maxBytes, keep }: NonNullable<CdrConfig['file']>,
  events: CdrEvents,
  clock: Clock,
): RotatingFile {
  return new RotatingFile({
    path,
    maxBytes,
    keep,
    clock,
    failed: (cause) => events.cdrFailed({ cause }),
    lost: (record) => events.cdrFailed({ cause: new Error('the disk takes no records'), record }),
  });
}
