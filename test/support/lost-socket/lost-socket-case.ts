import { setTimeout as delay } from 'node:timers/promises';
import { phoneHz, type CutOffice } from '../cut-office.js';
import { idle } from '../idle.js';
import { within } from '../within.js';
import type { CutPhone } from './cut-phone.js';
import { baresipOf, earlyPhoneOf, type OfficePhone } from './office-phone.js';

/** Where the call is when the socket is cut. `re-INVITE out`: the browser's is under way; `in`: the PBX's. */
export const phases = [
  'ringing out',
  'early media',
  'ringing in',
  'established',
  'on hold',
  're-INVITE out',
  're-INVITE in',
] as const;
export type Phase = (typeof phases)[number];

/** Who ends the call, and when. */
export const ends = ['browser after', 'PBX after', 'browser during', 'PBX during'] as const;
export type End = (typeof ends)[number];

export interface LostSocketCase {
  readonly phase: Phase;
  readonly end: End;
  readonly cutMs: number;
  /**
   * For so long, before it is cut, the line takes everything and delivers nothing, and who hangs up during the cut does it
   * then: nobody notices that it is lost.
   */
  readonly deadMs?: number;
}

/** What one case came to. Times are from the line being mended to the endpoint having its flow. */
export interface LostSocketRow extends LostSocketCase {
  readonly outcome: string;
  readonly restoredMs: number;
}

const patienceMs = 20_000;

/** One call that loses its socket. Throws when it goes otherwise than it should; leaves no call behind. */
export async function runLostSocketCase(
  office: CutOffice,
  alice: CutPhone,
  one: LostSocketCase,
): Promise<LostSocketRow> {
  const run = new CaseRun(office, alice, one);
  return { ...one, ...(await run.go()) };
}

class CaseRun {
  readonly #phone: OfficePhone;
  readonly #talks: boolean;

  constructor(
    private readonly office: CutOffice,
    private readonly alice: CutPhone,
    private readonly one: LostSocketCase,
  ) {
    this.#phone = one.phase === 'early media' ? earlyPhoneOf(office) : baresipOf(office);
    this.#talks = one.phase === 'established' || one.phase === 'early media';
  }

  async go(): Promise<Pick<LostSocketRow, 'outcome' | 'restoredMs'>> {
    const { office, one } = this;
    const endsDuring = one.end.endsWith('during');
    this.#phone.reset();
    await this.#begin();
    const flows = this.#count('endpoint.resumed');
    const cutAtMs = Date.now();
    await this.#cut();
    const isOver = endsDuring && one.deadMs !== undefined;
    if (this.#talks && !isOver) await this.#bothHear();
    if (endsDuring && !isOver) await this.#end();
    await delay(Math.max(0, cutAtMs + one.cutMs - Date.now()));
    const mendedAtMs = Date.now();
    office.line.mend();
    await this.#until('the endpoint was not resumed', () => this.#count('endpoint.resumed') > flows);
    const restoredMs = Date.now() - mendedAtMs;
    if (!endsDuring) {
      await this.#goOn();
      await this.#bothHear();
      await this.#end();
    }
    await this.#over();
    return {
      outcome: endsDuring ? 'ended at both sides' : 'went on, both hear, ended at both sides',
      restoredMs,
    };
  }

  async #begin(): Promise<void> {
    const { alice, one, office } = this;
    if (one.phase === 'ringing in') {
      office.phone.dial(office.aliceUri);
      return alice.incoming();
    }
    alice.call(this.#phone.number);
    await this.#phone.rings();
    if (one.phase === 'ringing out') return;
    if (one.phase === 'early media') return this.#bothHear();
    this.#phone.accept();
    await alice.established();
    await this.#bothHear();
    if (one.phase !== 'on hold') return;
    await alice.hold?.();
    await alice.held?.();
  }

  /** Re-INVITEs begin so shortly before or after the cut that their answers are lost. */
  async #cut(): Promise<void> {
    const { alice, one, office } = this;
    if (one.deadMs !== undefined) office.line.swallow();
    if (one.phase === 're-INVITE out') await alice.hold?.();
    if (one.deadMs !== undefined) {
      if (one.end.endsWith('during')) await this.#end();
      await delay(one.deadMs);
    }
    office.line.cut();
    if (one.phase === 're-INVITE in') office.phone.hold();
  }

  async #goOn(): Promise<void> {
    const { alice, one } = this;
    switch (one.phase) {
      case 'ringing out':
      case 'early media':
        this.#phone.accept();
        return alice.established();
      case 'ringing in':
        await alice.ringsAgain?.();
        return alice.answer();
      case 're-INVITE out':
        await alice.held?.();
        return alice.resume?.();
      case 'on hold':
        return alice.resume?.();
      case 're-INVITE in':
        return this.office.phone.resume();
      case 'established':
        return;
    }
  }

  async #end(): Promise<void> {
    if (this.one.end.startsWith('browser')) await this.alice.hangUp();
    else this.#phone.hangUp();
  }

  /** Both sides know of the end, and nothing is left in between. */
  async #over(): Promise<void> {
    await within(patienceMs, 'the browser still has the call', this.alice.ended());
    await this.#phone.closed(patienceMs);
    await idle(this.office.gateway);
  }

  async #bothHear(): Promise<void> {
    await Promise.all([this.alice.hears(phoneHz), this.#phone.hears()]);
  }

  #count(event: string): number {
    return this.office.gateway.lines.filter((line) => line['event'] === event).length;
  }

  async #until(problem: string, holds: () => boolean): Promise<void> {
    const deadline = Date.now() + patienceMs;
    while (!holds()) {
      if (Date.now() > deadline) throw new Error(problem);
      await delay(50);
    }
  }
}
