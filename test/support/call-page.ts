import type { Page } from 'playwright-core';
import { beginCallEnd, type CallEnd, type OfferChange } from '../in-page/call-end.js';
import type { TestBrowser } from './chromium.js';

export type { OfferChange } from '../in-page/call-end.js';

interface CallEndHost {
  readonly callEnd: CallEnd;
}

/** One end of a call in a page of its own in Chromium, without signalling. */
export class CallPage {
  private constructor(
    private readonly page: Page,
    private readonly hz: number,
    private readonly wantedCodec: string | undefined,
  ) {}

  /** `codec`: the one that it likes best, in place of Chromium's choice. */
  static async open({ browser }: TestBrowser, hz: number, codec?: string): Promise<CallPage> {
    const context = await browser.newContext();
    const page = await context.newPage();
    const end = new CallPage(page, hz, codec);
    await end.begin();
    return end;
  }

  /** Forgets the call that was, for another one. */
  begin(): Promise<void> {
    return this.page.evaluate(beginCallEnd, { hz: this.hz, codec: this.wantedCodec });
  }

  offer(change: OfferChange = {}): Promise<string> {
    return this.page.evaluate(
      (wanted) => (globalThis as unknown as CallEndHost).callEnd.offer(wanted),
      change,
    );
  }

  answer(offer: string): Promise<string> {
    return this.page.evaluate((sdp) => (globalThis as unknown as CallEndHost).callEnd.answer(sdp), offer);
  }

  /** Takes the answer to {@link offer}. */
  settle(answer: string): Promise<void> {
    return this.page.evaluate((sdp) => (globalThis as unknown as CallEndHost).callEnd.settle(sdp), answer);
  }

  /** Resolves once this tone, or silence for null, is what it hears. */
  hears(hz: number | null): Promise<void> {
    return this.page.evaluate((tone) => (globalThis as unknown as CallEndHost).callEnd.hears(tone), hz);
  }

  /** Resolves once the tones of this key are what it hears: Chromium plays telephone events. */
  hearsKey(tones: readonly [number, number]): Promise<void> {
    return this.page.evaluate((pair) => (globalThis as unknown as CallEndHost).callEnd.hearsKey(pair), tones);
  }

  press(digit: string): Promise<void> {
    return this.page.evaluate((key) => (globalThis as unknown as CallEndHost).callEnd.press(key), digit);
  }

  /** Name of the audio codec that arrives. */
  codec(): Promise<string | undefined> {
    return this.page.evaluate(() => (globalThis as unknown as CallEndHost).callEnd.codec());
  }

  /** ICE user fragment of the other side. */
  farUfrag(): Promise<string | undefined> {
    return this.page.evaluate(() => (globalThis as unknown as CallEndHost).callEnd.farUfrag());
  }

  /** How many pictures it has decoded. */
  pictures(): Promise<number> {
    return this.page.evaluate(() => (globalThis as unknown as CallEndHost).callEnd.pictures());
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }
}
