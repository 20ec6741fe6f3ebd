import type { Page } from 'playwright-core';
import { describeFarEnd, directFarEnd, settleFarEnd } from '../in-page/far-end.js';
import { waitForSilence, waitForTone } from './heard-tone.js';
import type { TestBrowser } from './chromium.js';

/** The other side of one call, with real media: a peer connection in a page of its own that speaks one tone. */
export class FarEnd {
  private opened: Promise<Page> | undefined;

  /** The page is opened, on the server, once it is needed. */
  constructor(
    private readonly chromium: TestBrowser,
    private readonly serverUrl: string,
    private readonly hz: number,
  ) {}

  /** The SDP answer to an offer; the first one of a call or a later one. */
  async answer(offer: string): Promise<string> {
    return (await this.page()).evaluate(describeFarEnd, { id: 'call', hz: this.hz, offer });
  }

  /** An SDP offer, with this direction when it is not the first one. */
  async offer(direction?: 'sendrecv' | 'sendonly'): Promise<string> {
    const page = await this.page();
    if (direction !== undefined) await page.evaluate(directFarEnd, { id: 'call', direction });
    return page.evaluate(describeFarEnd, { id: 'call', hz: this.hz, offer: undefined });
  }

  /** Takes the answer to {@link offer}. */
  async settle(answer: string): Promise<void> {
    await (await this.page()).evaluate(settleFarEnd, { id: 'call', answer });
  }

  async waitForTone(hz: number): Promise<void> {
    await waitForTone(await this.page(), hz);
  }

  async waitForSilence(): Promise<void> {
    await waitForSilence(await this.page());
  }

  async close(): Promise<void> {
    await (await this.opened)?.context().close();
  }

  private page(): Promise<Page> {
    this.opened ??= this.open();
    return this.opened;
  }

  private async open(): Promise<Page> {
    const context = await this.chromium.browser.newContext();
    const page = await context.newPage();
    await page.goto(`${this.serverUrl}blank`);
    return page;
  }
}
