import { passwordOf } from '../gateway.js';
import type { CutOffice } from '../cut-office.js';
import { JsSipPage } from '../jssip-page.js';

/** A phone in Chromium behind the line that is cut: the softphone, or JsSIP without any help of ours. */
export interface CutPhone {
  /** Calls; does not wait for anything. */
  call(number: string): void;
  /** Resolves when the call has been answered, by either side. */
  established(): Promise<void>;
  /** Resolves when somebody calls. */
  incoming(): Promise<void>;
  /** Resolves when it rings again after the cut; undefined when it never stops. */
  readonly ringsAgain?: () => Promise<void>;
  answer(): Promise<void>;
  /** Ends the call, or declines the one that rings. */
  hangUp(): Promise<void>;
  /** Resolves when the phone has no call any more. */
  ended(): Promise<void>;
  hears(hz: number): Promise<void>;
  /** Asks for hold and does not wait; undefined when the phone cannot. */
  readonly hold?: () => Promise<void>;
  readonly held?: () => Promise<void>;
  readonly resume?: () => Promise<void>;
  close(): Promise<void>;
}

/** The softphone, signed in as alice. */
export async function cutSoftphone(office: CutOffice): Promise<CutPhone> {
  const alice = await office.openSoftphone();
  return {
    call: (number) => void alice.dial(number),
    established: () => alice.waitForState('In call'),
    incoming: async () => void (await alice.waitForIncoming()),
    answer: alice.answer,
    hangUp: () => alice.page.click('#hang-up:visible, #decline:visible'),
    ended: () => alice.waitForNoCall(),
    hears: alice.waitForTone,
    hold: () => alice.page.click('#hold[aria-pressed=false]'),
    held: () => alice.waitForState('On hold'),
    resume: () => alice.resume(),
    // Its binding must not ring along in the next call.
    close: async () => {
      await alice.signOut();
      await alice.close();
    },
  };
}

/** JsSIP, registered as alice. */
export async function cutJsSip(office: CutOffice): Promise<CutPhone> {
  const url = `${office.pageUrl.replace('http:', 'ws:')}/ws`;
  const account = { url, uri: 'sip:alice@localhost', password: passwordOf('alice') };
  const alice = await JsSipPage.open(office.browser, office.pageUrl, account);
  let established = Promise.resolve();
  let held = Promise.resolve();
  const incoming = async (): Promise<void> => void (await alice.incoming());
  return {
    call: (number) => {
      established = alice.call(`sip:${number}@localhost`);
      established.catch(() => undefined);
    },
    established: () => established,
    incoming,
    // It forgets the INVITE when its socket closes, and takes it for a new one when it comes again.
    ringsAgain: incoming,
    answer: () => alice.answer(),
    hangUp: () => alice.hangUp(),
    ended: () => alice.ended(),
    hears: alice.waitForTone,
    hold: () => {
      held = alice.setHeld(true);
      held.catch(() => undefined);
      return Promise.resolve();
    },
    held: () => held,
    resume: () => alice.setHeld(false),
    close: () => alice.close(),
  };
}
