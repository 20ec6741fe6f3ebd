import { setTimeout as delay } from 'node:timers/promises';
import type { Baresip } from '../baresip.js';
import { browserHz, phoneHz, type CutOffice } from '../cut-office.js';
import { idle } from '../idle.js';
import { within } from '../within.js';
import type { CutPhone } from './cut-phone.js';

/** Where the call is when the socket is cut. `re-INVITE out`: the browser's is under way; `in`: the PBX's. */
export const phases = [
  'ringing out',
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
}

/** What one case came to. Times are from the line being mended to the endpoint having its flow. */
export interface LostSocketRow extends LostSocketCase {
  readonly outcome: string;
  readonly restoredMs: number;
}

const patienceMs = 20_000;
/** sip.js leaves a re-INVITE unanswered that a BYE overtakes: its transaction takes its time (RFC 3261 §17.1.1.2). */
const emptyWithinMs = 40_000;

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
  readonly #phone: Baresip;
  readonly #talks: boolean;

  constructor(
    private readonly office: CutOffice,
    private readonly alice: CutPhone,
    private readonly one: LostSocketCase,
  ) {
    this.#phone = office.phone;
    this.#talks = one.phase === 'established';
  }

  async go(): Promise<Pick<LostSocketRow, 'outcome' | 'restoredMs'>> {
    const { office, one } = this;
    const endsDuring = one.end.endsWith('during');
    this.#phone.events.items.length = 0;
    await this.#begin();
    const flows = this.#count('endpoint.resumed');
    const cutAtMs = Date.now();
    await this.#cut();
    if (this.#talks) await this.#bothHear();
    if (endsDuring) await this.#end();
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
      this.#phone.dial(office.aliceUri);
      return alice.incoming();
    }
    alice.call('1001');
    await this.#phone.event('CALL_INCOMING');
    if (one.phase === 'ringing out') return;
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
    if (one.phase === 're-INVITE out') await alice.hold?.();
    office.line.cut();
    if (one.phase === 're-INVITE in') this.#phone.hold();
  }

  async #goOn(): Promise<void> {
    const { alice, one } = this;
    switch (one.phase) {
      case 'ringing out':
        this.#phone.accept();
        return alice.established();
      case 'ringing in':
        return alice.answer();
      case 're-INVITE out':
        await alice.held?.();
        return alice.resume?.();
      case 'on hold':
        return alice.resume?.();
      case 're-INVITE in':
        return this.#phone.resume();
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
    await this.#phone.event('CALL_CLOSED', patienceMs);
    await idle(this.office.gateway, undefined, emptyWithinMs);
  }

  #bothHear(): Promise<unknown> {
    return Promise.all([this.alice.hears(phoneHz), this.#phone.waitForTone(browserHz)]);
  }

  #count(event: string): number {
    return this.office.gateway.lines.filter((line) => line['event'] === event).length;
  }

  async #until(problem: string, holds: () => boolean): Promise<void> {
    const deadline = Date.now() + patienceMs;
    while (!holds()) {
      if (Date.now() > deadline) throw new Error(problem);
      await delay(10);
    }
  }
}
