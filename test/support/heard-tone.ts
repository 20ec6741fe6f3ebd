import type { Page } from 'playwright-core';
import { listen } from '../in-page/listen.js';

const settleMs = 350;
const toleranceHz = 15;

/** The loudest frequency that the page plays from the other side, in hertz, or null when it plays silence or nothing. */
export function heardHz(page: Page): Promise<number | null> {
  return page.evaluate(listen, settleMs);
}

async function waitUntilHeard(
  page: Page,
  wanted: string,
  fits: (hz: number | null) => boolean,
  timeoutMs: number,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const hz = await heardHz(page);
    if (fits(hz)) return;
    if (Date.now() > deadline)
      throw new Error(`${wanted} was awaited, ${hz === null ? 'silence' : `${hz.toFixed(0)} Hz`} was heard`);
  }
}

/** Waits until the page plays this tone. */
export function waitForTone(page: Page, hz: number, timeoutMs = 10_000): Promise<void> {
  return waitUntilHeard(
    page,
    `${hz} Hz`,
    (heard) => heard !== null && Math.abs(heard - hz) <= toleranceHz,
    timeoutMs,
  );
}

/** Waits until the page plays nothing. */
export function waitForSilence(page: Page, timeoutMs = 10_000): Promise<void> {
  return waitUntilHeard(page, 'silence', (heard) => heard === null, timeoutMs);
}
