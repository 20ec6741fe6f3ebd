import { browserHz, type CutOffice } from '../cut-office.js';
import { within } from '../within.js';

/** The telephone at the other side of a case: baresip, or one that is heard before it is answered. */
export interface OfficePhone {
  readonly number: string;
  /** Forgets earlier calls. */
  reset(): void;
  rings(): Promise<unknown>;
  accept(): void;
  hangUp(): void;
  hears(): Promise<unknown>;
  closed(withinMs: number): Promise<unknown>;
}

/** baresip, 1001. */
export function baresipOf({ phone }: CutOffice): OfficePhone {
  return {
    number: '1001',
    reset: () => void phone.events.items.splice(0),
    rings: () => phone.event('CALL_INCOMING'),
    accept: () => phone.accept(),
    hangUp: () => phone.hangUp(),
    hears: () => phone.waitForTone(browserHz),
    closed: (withinMs) => phone.event('CALL_CLOSED', withinMs),
  };
}

const ringsWithinMs = 5_000;
const hearsWithinMs = 8_000;

/** 1002, behind Kamailio too. */
export function earlyPhoneOf({ earlyPhone: phone }: CutOffice): OfficePhone {
  return {
    number: '1002',
    reset: () => phone.reset(),
    rings: () => within(ringsWithinMs, 'nobody calls 1002', phone.rings()),
    accept: () => phone.accept(),
    hangUp: () => phone.hangUp(),
    hears: () => within(hearsWithinMs, '1002 does not hear the browser', phone.hears(browserHz)),
    closed: (withinMs) => within(withinMs, '1002 still has the call', phone.closed()),
  };
}
