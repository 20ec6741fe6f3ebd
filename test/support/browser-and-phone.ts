import type { Baresip } from './baresip.js';
import type { Softphone } from './softphone.js';

/** Tones: of the microphone of the browser, and of the phone. */
export const browserHz = 440;
export const phoneHz = 1_000;

/** The browser calls the phone, which is 1001 and takes the call. */
export async function connect(browser: Softphone, phone: Baresip): Promise<void> {
  await browser.dial('1001');
  await phone.event('CALL_INCOMING');
  await browser.waitForState('Ringing');
  phone.accept();
  await browser.waitForState('In call');
  await phone.event('CALL_ESTABLISHED');
}

/** Resolves once each hears the other's tone. */
export async function bothHear(browser: Softphone, phone: Baresip): Promise<void> {
  await Promise.all([browser.waitForTone(phoneHz), phone.waitForTone(browserHz)]);
}

/** First the browser holds and resumes, then the phone: silence in between, and both tones after it. */
export async function bothHoldAndResume(browser: Softphone, phone: Baresip): Promise<void> {
  await browser.hold();
  await browser.waitForSilence();
  await browser.resume();
  await bothHear(browser, phone);
  phone.hold();
  await browser.waitForSilence();
  phone.resume();
  await bothHear(browser, phone);
}
