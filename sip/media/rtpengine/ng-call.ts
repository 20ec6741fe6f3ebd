import { failure, type SipFailure } from '../../failure.js';
import { readFigures, type CallFigures } from './call-figures.js';
import type { Instance } from './instance.js';
import type { InstancePool } from './instance-pool.js';
import { answerFlags, offerFlags, type NgEnd } from './leg-flags.js';
import type { NgCommand, NgDictionary } from './ng-codec.js';
import { NgFailure } from './ng-failure.js';

/** How long each kind of command may take, in ms. */
export interface NgDeadlines {
  readonly offerMs: number;
  readonly queryMs: number;
  readonly deleteMs: number;
}

export interface NgCallOptions {
  /** The call id in rtpengine. */
  readonly id: string;
  readonly pool: InstancePool;
  readonly deadlines: NgDeadlines;
  /** A new call went on to another instance. */
  failedOver(from: Instance, reason: NgFailure): void;
  /** No instance takes a new call. */
  unavailable(): void;
}

/** Whose SDP a command brings. */
export type NgParty = Pick<NgEnd, 'id' | 'profile'>;

const retryAfter = [['Retry-After', '5']] as const;

/**
 * One call of ours in rtpengine. Its first offer chooses the instance and goes on to another one when that fails; after
 * that the call stays where it is. Every instance that may know of the call gets its delete.
 */
export class NgCall {
  #instance: Instance | undefined;
  /** Of the ends that rtpengine knows. */
  readonly #tags = new Set<string>();
  /** Of ends that are gone. With one of only two ends rtpengine would delete the call: that waits for another one. */
  readonly #staleTags = new Set<string>();
  readonly #deletes = new Set<Promise<unknown>>();

  constructor(private readonly options: NgCallOptions) {}

  get id(): string {
    return this.options.id;
  }

  get instance(): Instance | undefined {
    return this.#instance;
  }

  /** Goes on with a call that another process has begun in that instance, with ends of these tags. */
  resume(instance: Instance, tags: readonly string[]): void {
    this.#instance = instance;
    for (const tag of tags) this.#tags.add(tag);
  }

  /** Deletes that are under way. */
  get deletesPending(): number {
    return this.#deletes.size;
  }

  /**
   * Tells an offer; resolves with the SDP for the end that is offered to. Rejects with a SipFailure.
   *
   * @param isFirst nothing that rtpengine gave has reached an end yet: another instance may take over
   */
  async offer(from: NgParty, to: NgEnd, sdp: string, isFirst: boolean): Promise<string> {
    const command = {
      command: 'offer',
      'from-tag': from.id,
      'to-tag': to.id,
      sdp,
      ...offerFlags(from, to),
    };
    const answer = isFirst ? await this.#first(command) : await this.#send(command);
    this.#tags.add(from.id).add(to.id);
    this.#deleteStale();
    return sdpOf(answer);
  }

  /** Tells an answer to the offer of `to`; resolves with the SDP for `to`. Rejects with a SipFailure. */
  async answer(to: NgEnd, from: NgParty, sdp: string): Promise<string> {
    const flags = answerFlags(from, to);
    return sdpOf(
      await this.#send({ command: 'answer', 'from-tag': to.id, 'to-tag': from.id, sdp, ...flags }),
    );
  }

  /** What rtpengine has counted; undefined when it does not know the call. Rejects with an NgFailure. */
  async figures(): Promise<CallFigures | undefined> {
    const { id, deadlines } = this.options;
    if (this.#instance === undefined || this.#instance.isDown)
      throw new NgFailure('unreachable', 'the instance is down');
    try {
      return readFigures(await this.#instance.send({ command: 'query', 'call-id': id }, deadlines.queryMs));
    } catch (thrown) {
      if (thrown instanceof NgFailure && isUnknownCall(thrown)) return undefined;
      throw thrown;
    }
  }

  /** A callee's end is gone: frees its ports, at the latest with the next offer. */
  forgetEnd(tag: string): void {
    if (!this.#tags.has(tag)) return;
    this.#staleTags.add(tag);
    this.#deleteStale();
  }

  /** Deletes the call. Resolves when every instance that may know of it has answered, or has had its time. */
  async end(): Promise<void> {
    this.#delete(this.#instance);
    await Promise.all(this.#deletes);
  }

  async #first(command: NgCommand): Promise<NgDictionary> {
    const { id, pool, deadlines } = this.options;
    const tried = new Set<Instance>();
    let refusal: NgFailure | undefined;
    for (let instance = this.#previousChoice(); ; instance = undefined) {
      instance ??= pool.choose(tried);
      if (instance === undefined) break;
      tried.add(instance);
      try {
        const answer = await instance.send({ ...command, 'call-id': id }, deadlines.offerMs);
        this.#moveTo(instance);
        return answer;
      } catch (thrown) {
        if (!(thrown instanceof NgFailure) || thrown.kind === 'closed') throw asSipFailure(thrown);
        refusal = thrown;
        // It may have taken the offer all the same.
        this.#delete(instance);
        this.options.failedOver(instance, thrown);
      }
    }
    if (refusal?.kind === 'refused') throw asSipFailure(refusal);
    this.options.unavailable();
    const detail =
      refusal === undefined ? 'every rtpengine is down' : `no rtpengine takes the call: ${refusal.message}`;
    throw failure('media.engine_down', { detail, headers: retryAfter });
  }

  /** A call without answer so far stays where it is while that is alive. */
  #previousChoice(): Instance | undefined {
    return this.#instance?.isDown === false ? this.#instance : undefined;
  }

  #moveTo(instance: Instance): void {
    if (this.#instance !== undefined && this.#instance !== instance) {
      this.#delete(this.#instance);
      this.#tags.clear();
      this.#staleTags.clear();
    }
    this.#instance = instance;
  }

  #deleteStale(): void {
    for (const tag of this.#staleTags) {
      if (this.#tags.size <= 2) return;
      this.#tags.delete(tag);
      this.#staleTags.delete(tag);
      this.#delete(this.#instance, tag);
    }
  }

  async #send(command: NgCommand): Promise<NgDictionary> {
    const { id, deadlines } = this.options;
    if (this.#instance === undefined)
      throw failure('media.failed', { detail: 'rtpengine does not know the call' });
    try {
      return await this.#instance.send({ ...command, 'call-id': id }, deadlines.offerMs);
    } catch (thrown) {
      throw asSipFailure(thrown);
    }
  }

  /** Without a tag the whole call. `delete-delay`: at once, whatever the instance is configured for. */
  #delete(instance: Instance | undefined, tag?: string): void {
    if (instance === undefined) return;
    const { id, deadlines } = this.options;
    const command = { command: 'delete', 'call-id': id, 'from-tag': tag, 'delete-delay': 0 };
    const deleted = instance
      .send(command, deadlines.deleteMs)
      .catch(() => undefined)
      .finally(() => this.#deletes.delete(deleted));
    this.#deletes.add(deleted);
  }
}

/** Foreign failures become ours where they enter. */
function asSipFailure(thrown: unknown): SipFailure {
  const detail = thrown instanceof Error ? thrown.message : String(thrown);
  if (thrown instanceof NgFailure && thrown.isNoAnswer)
    return failure('media.engine_down', { detail, headers: retryAfter, cause: thrown });
  const isPorts = thrown instanceof NgFailure && /ran out of ports|no free ports/i.test(detail);
  return failure(isPorts ? 'media.no_ports' : 'media.failed', {
    detail: `rtpengine: ${detail}`,
    cause: thrown,
  });
}

function isUnknownCall({ kind, message }: NgFailure): boolean {
  return kind === 'refused' && /unknown call/i.test(message);
}

function sdpOf(answer: NgDictionary): string {
  const sdp = answer.get('sdp');
  if (typeof sdp !== 'string' || sdp === '')
    throw failure('media.failed', { detail: 'rtpengine gave no SDP' });
  return sdp;
}
