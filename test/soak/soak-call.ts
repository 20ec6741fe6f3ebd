import { setTimeout as delay } from 'node:timers/promises';
import { domain } from '../bench/target.js';
import { within } from '../support/within.js';
import type { SoakPbx } from './soak-pbx.js';
import type { SoakPhone } from './soak-phone.js';
import type { SoakDialog, SoakUa } from './soak-ua.js';

/** Who calls whom. */
export type CallKind = 'out' | 'in' | 'between';

/** What happens in one call, chosen beforehand. */
export interface CallScript {
  readonly kind: CallKind;
  readonly talkMs: number;
  /** A browser holds and takes the call back. */
  readonly holds: boolean;
  /** A browser loses its socket in the call and comes back. */
  readonly reconnects: boolean;
  readonly hangsUp: 'caller' | 'callee';
  /** What the PBX is dialled as, or calls as; never twice at once. */
  readonly number: string;
}

/** The browsers of a call: the second one only between browsers. */
export interface CallPhones {
  readonly one: SoakPhone;
  readonly other: SoakPhone | undefined;
}

interface End {
  readonly ua: SoakUa;
  readonly dialog: SoakDialog;
}

const hungUpWithinMs = 15_000;

/** Makes one call from beginning to end; rejects with what went wrong. `rang`: milliseconds from INVITE to 18x. */
export async function makeCall(
  script: CallScript,
  { one, other }: CallPhones,
  pbx: SoakPbx,
  rang: (afterMs: number) => void,
): Promise<void> {
  const [caller, callee] = await setUp(script, { one, other }, pbx, rang);
  try {
    await delay(script.talkMs / 3);
    const browser = caller.ua === one.ua ? caller : callee;
    if (script.reconnects) await one.reconnect();
    if (script.holds) await browser.ua.reinvite(browser.dialog, 'sendonly');
    await delay(script.talkMs / 3);
    if (script.holds) await browser.ua.reinvite(browser.dialog, 'sendrecv');
    await delay(script.talkMs / 3);
    const [first, second] = script.hangsUp === 'caller' ? [caller, callee] : [callee, caller];
    await first.ua.hangUp(first.dialog);
    await within(hungUpWithinMs, 'the BYE at the other side', second.dialog.hungUp);
  } finally {
    for (const { ua, dialog } of [caller, callee]) ua.forget(dialog);
  }
}

async function setUp(
  { kind, number }: CallScript,
  { one, other }: CallPhones,
  pbx: SoakPbx,
  rang: (afterMs: number) => void,
): Promise<readonly [End, End]> {
  const began = performance.now();
  let hasRung = false;
  const ring = (): void => {
    if (!hasRung) rang(performance.now() - began);
    hasRung = true;
  };
  const pbxUri = `sip:${number}@${pbx.sentBy}`;
  const [from, fromAor, to, user, toUri] =
    kind === 'in'
      ? [pbx.ua, pbxUri, one.ua, one.user, `sip:${one.user}@127.0.0.1:${pbx.gatewayPort}`]
      : kind === 'out'
        ? [one.ua, one.aor, pbx.ua, number, `sip:${number}@${domain}`]
        : [one.ua, one.aor, other?.ua ?? one.ua, other?.user ?? '', other?.aor ?? ''];
  const [outgoing, incoming] = await Promise.all([from.call(fromAor, toUri, ring), to.answered(user)]);
  return [
    { ua: from, dialog: outgoing },
    { ua: to, dialog: incoming },
  ];
}
