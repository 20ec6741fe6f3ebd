import type { BrowserContext, Page } from 'playwright-core';
import { rawMicrophone } from '../in-page/raw-microphone.js';
import type { TestBrowser } from './chromium.js';
import { heardHz, waitForSilence, waitForTone } from './heard-tone.js';

const patienceMs = 15_000;

/** The softphone page in a browser, used as a person would, by what is on the screen. */
export class Softphone {
  /** Errors that the page logged or threw, breaches of its Content-Security-Policy among them. */
  readonly problems: string[] = [];

  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
  ) {
    page.on('pageerror', (error) => this.problems.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') this.problems.push(message.text());
    });
  }

  /** Opens the page in a browser profile of its own. */
  static async open(
    { browser }: TestBrowser,
    url: string,
    options: Parameters<TestBrowser['browser']['newContext']>[0] = {},
  ): Promise<Softphone> {
    const context = await browser.newContext({ permissions: ['microphone'], ...options });
    await context.addInitScript(rawMicrophone);
    const page = await context.newPage();
    page.setDefaultTimeout(patienceMs);
    const phone = new Softphone(context, page);
    await page.goto(url);
    return phone;
  }

  /** Opens the page in another window of the same browser profile. */
  async openWindow(url: string): Promise<Softphone> {
    const page = await this.context.newPage();
    page.setDefaultTimeout(patienceMs);
    const phone = new Softphone(this.context, page);
    await page.goto(url);
    return phone;
  }

  /** Fills the form and waits until the server has accepted the user. */
  async signIn(user: string, password: string): Promise<void> {
    await this.submitSignIn(user, password);
    await this.waitForLine(`Connected as ${user}`);
  }

  /** Fills the form and sends it. */
  async submitSignIn(user: string, password: string): Promise<void> {
    await this.page.fill('#user', user);
    await this.page.fill('#password', password);
    await this.page.click('#sign-in button[type=submit]');
  }

  /** Leaves the server, which then knows no contact of this page. */
  async signOut(): Promise<void> {
    await this.page.getByText('Sign out').dispatchEvent('click');
    await this.page.locator('#sign-in').waitFor({ state: 'visible' });
  }

  /** Types the number and presses Call. */
  async dial(number: string): Promise<void> {
    await this.page.fill('#dial', number);
    await this.page.click('#call');
  }

  answer = (): Promise<void> => this.page.click('#answer');
  decline = (): Promise<void> => this.page.click('#decline');
  hangUp = (): Promise<void> => this.page.click('#hang-up');
  mute = (): Promise<void> => this.page.click('#mute[aria-pressed=false]');
  unmute = (): Promise<void> => this.page.click('#mute[aria-pressed=true]');

  /** Puts the call on hold and waits for the other side's consent. */
  async hold(): Promise<void> {
    await this.page.click('#hold[aria-pressed=false]');
    await this.waitForState('On hold');
  }

  /** Takes the call back and waits for the other side's consent. */
  async resume(): Promise<void> {
    await this.page.click('#hold[aria-pressed=true]');
    await this.waitForState('In call');
  }

  /** Sends one digit into the call with the keypad on the screen. */
  async pressDigit(digit: string): Promise<void> {
    const toggle = this.page.locator('#keypad-toggle');
    if ((await toggle.getAttribute('aria-pressed')) !== 'true') await toggle.click();
    await this.page.click(`.call-panel [data-key="${digit}"]`);
  }

  lineText = (): Promise<string> => this.page.innerText('#line-status');
  stateText = (): Promise<string> => this.page.innerText('#call-status');
  noticeText = (): Promise<string> => this.page.innerText('#notice');
  partyName = (): Promise<string> => this.page.innerText('#call-name');

  waitForLine = (text: string): Promise<void> => this.waitForText('#line-status', text);
  waitForState = (text: string): Promise<void> => this.waitForText('#call-status', text);
  waitForNotice = (text: string): Promise<void> => this.waitForText('#notice', text);
  waitForSignInProblem = (text: string): Promise<void> => this.waitForText('#sign-in-problem', text);

  /** Waits until the phone rings and gives the caller's name. */
  async waitForIncoming(): Promise<string> {
    await this.page.locator('#incoming-name').waitFor({ state: 'visible' });
    return this.page.innerText('#incoming-name');
  }

  /** Waits until no call is left on the page. */
  async waitForNoCall(): Promise<void> {
    await this.page.locator('.call-panel').waitFor({ state: 'hidden' });
    await this.page.locator('.incoming').waitFor({ state: 'hidden' });
  }

  heardHz = (): Promise<number | null> => heardHz(this.page);
  waitForTone = (hz: number, timeoutMs?: number): Promise<void> => waitForTone(this.page, hz, timeoutMs);
  waitForSilence = (timeoutMs?: number): Promise<void> => waitForSilence(this.page, timeoutMs);

  close(): Promise<void> {
    return this.context.close();
  }

  /** Case matters, and the shown text must begin with the wanted one. */
  private async waitForText(selector: string, text: string): Promise<void> {
    const beginning = new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`);
    try {
      await this.page.locator(selector).filter({ hasText: beginning }).waitFor({ state: 'visible' });
    } catch {
      const shown = await this.page.locator(selector).textContent();
      throw new Error(`${selector} was to show "${text}" but shows "${shown ?? ''}"`);
    }
  }
}
