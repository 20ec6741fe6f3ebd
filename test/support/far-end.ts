import type { Page } from 'playwright-core';
import { describeFarEnd, directFarEnd, settleFarEnd } from '../in-page/far-end.js';
import { waitForSilence, waitForTone } from './heard-tone.js';
import type { TestBrowser } from './chromium.js';

/** The other side of one call, with real media: a peer connection in a page of its own that speaks one tone. */
export class FarEnd {
  private constructor(
    private readonly page: Page,
    private readonly hz: number,
  ) {}

  /** Opens a blank page on the server to hold the peer connection. */
  static async open({ browser }: TestBrowser, serverUrl: string, hz: number): Promise<FarEnd> {
    const page = await (await browser.newContext()).newPage();
    await page.goto(`${serverUrl}blank`);
    return new FarEnd(page, hz);
  }

  /** The SDP answer to an offer; the first one of a call or a later one. */
  answer(offer: string): Promise<string> {
    return this.page.evaluate(describeFarEnd, { id: 'call', hz: this.hz, offer });
  }

  /** An SDP offer, with this direction when it is not the first one. */
  async offer(direction?: 'sendrecv' | 'sendonly'): Promise<string> {
    if (direction !== undefined) await this.page.evaluate(directFarEnd, { id: 'call', direction });
    return this.page.evaluate(describeFarEnd, { id: 'call', hz: this.hz, offer: undefined });
  }

  /** Takes the answer to {@link offer}. */
  settle(answer: string): Promise<void> {
    return this.page.evaluate(settleFarEnd, { id: 'call', answer });
  }

  waitForTone = (hz: number): Promise<void> => waitForTone(this.page, hz);
  waitForSilence = (): Promise<void> => waitForSilence(this.page);

  close(): Promise<void> {
    return this.page.context().close();
  }
}
