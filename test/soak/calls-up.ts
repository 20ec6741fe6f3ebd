import { browserSdp } from '../bench/messages.js';
import { domain, userName } from '../bench/target.js';
import type { SoakPbx } from './soak-pbx.js';
import { SoakPhone } from './soak-phone.js';
import type { SoakDialog } from './soak-ua.js';

/** A call between a browser and the PBX, and what they were told of its end. */
export interface CallUp {
  readonly phone: SoakPhone;
  readonly browser: SoakDialog;
  readonly pbx: SoakDialog;
  readonly isHeld: boolean;
  /** The browser never comes back. */
  readonly isGone: boolean;
  browserTold: boolean;
  pbxTold: boolean;
}

const atOnce = 10;
const sdpBytes = 1_200;
const brief = '8000';

const phoneSdp = browserSdp(sdpBytes);

/** The browser of the user with that number. */
export function phoneOf(user: number, url: string): SoakPhone {
  return new SoakPhone(userName(user), url, phoneSdp);
}

/** The PBX calls a browser, which answers. */
export async function callFromPbx(
  pbx: SoakPbx,
  number: string,
  phone: SoakPhone,
): Promise<[SoakDialog, SoakDialog]> {
  return bothOf(
    phone.ua.answered(phone.user),
    pbx.ua.call(`sip:${number}@127.0.0.1`, `sip:${phone.user}@${domain}`, nothing),
  );
}

/** Two thirds of browsers to the PBX, the rest the other way; every fifth on hold; every tenth browser never comes back. */
export async function placeCalls(url: string, pbx: SoakPbx, count: number): Promise<readonly CallUp[]> {
  const calls: CallUp[] = [];
  await inTurns(
    Array.from({ length: count }, (_, at) => at),
    async (at) => {
      const phone = phoneOf(at, url);
      await phone.connect();
      const number = at === count - 1 ? brief : `9${at}`;
      const [browser, office] =
        at % 3 === 2 && number !== brief
          ? await callFromPbx(pbx, number, phone)
          : await bothOf(
              phone.ua.call(phone.aor, `sip:${number}@${domain}`, nothing),
              pbx.ua.answered(number),
            );
      const isHeld = at % 5 === 0;
      if (isHeld) await phone.ua.reinvite(browser, 'sendonly');
      const isGone = at % 10 === 4;
      const call = { phone, browser, pbx: office, isHeld, isGone, browserTold: false, pbxTold: false };
      void browser.hungUp.then(() => (call.browserTold = true));
      void office.hungUp.then(() => (call.pbxTold = true));
      calls.push(call);
    },
  );
  return calls;
}

async function bothOf(
  browser: Promise<SoakDialog>,
  pbx: Promise<SoakDialog>,
): Promise<[SoakDialog, SoakDialog]> {
  return Promise.all([browser, pbx]);
}

/** Whether it is the call that may last for seconds only. */
export function isBrief({ pbx }: CallUp): boolean {
  return pbx.local.includes(`sip:${brief}@`);
}

/** Does that for each item, with some of them under way at a time. */
export async function inTurns<T>(
  items: readonly T[],
  act: (item: T, at: number) => Promise<void>,
): Promise<void> {
  const waiting = items.entries();
  const work = async (): Promise<void> => {
    for (const [at, item] of waiting) await act(item, at);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}

function nothing(): void {
  // Ringing is of no interest.
}
