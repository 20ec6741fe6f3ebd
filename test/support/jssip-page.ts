import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { build } from 'vite';
import { beginJsSipPhone, type JsSipAccount, type JsSipPhone } from '../in-page/jssip-phone.js';
import { rawMicrophone } from '../in-page/raw-microphone.js';
import type { TestBrowser } from './chromium.js';
import { waitForTone } from './heard-tone.js';

interface PhoneHost {
  readonly jssipPhone: JsSipPhone;
}

const emptyPage = '<!doctype html><title>JsSIP</title><audio autoplay></audio>';

/** JsSIP as one script for a page, which it is not published as. */
async function bundleJsSip(): Promise<string> {
  const entry = createRequire(import.meta.url).resolve('jssip');
  const lib = { entry, formats: ['iife' as const], name: 'JsSIP' };
  const root = fileURLToPath(new URL('.', import.meta.url));
  const options = { write: false, minify: false, lib };
  const built = await build({ configFile: false, root, logLevel: 'error', build: options });
  const [first] = [built].flat();
  const output = first !== undefined && 'output' in first ? first.output : [];
  const [script] = output.flatMap((file) => (file.type === 'chunk' ? [file.code] : []));
  if (script === undefined) throw new Error('JsSIP could not be bundled');
  return script;
}

/** A phone made of JsSIP in a page of its own in Chromium: its audio is the browser's microphone. */
export class JsSipPage {
  private constructor(private readonly page: Page) {}

  /** Registers; rejects with JsSIP's cause when it is refused. `pageUrl`: whose page it pretends to be. */
  static async open({ browser }: TestBrowser, pageUrl: string, account: JsSipAccount): Promise<JsSipPage> {
    const context = await browser.newContext({ permissions: ['microphone'] });
    await context.addInitScript(rawMicrophone);
    const page = await context.newPage();
    const address = `${pageUrl}/jssip.html`;
    await page.route(address, (route) => route.fulfill({ contentType: 'text/html', body: emptyPage }));
    await page.goto(address);
    await page.addScriptTag({ content: await bundleJsSip() });
    await page.evaluate(beginJsSipPhone, account);
    return new JsSipPage(page);
  }

  call = (target: string): Promise<void> =>
    this.page.evaluate((uri) => (globalThis as unknown as PhoneHost).jssipPhone.call(uri), target);
  incoming = (): Promise<string> =>
    this.page.evaluate(() => (globalThis as unknown as PhoneHost).jssipPhone.incoming());
  answer = (): Promise<void> =>
    this.page.evaluate(() => (globalThis as unknown as PhoneHost).jssipPhone.answer());
  hangUp = (): Promise<void> =>
    this.page.evaluate(() => (globalThis as unknown as PhoneHost).jssipPhone.hangUp());
  setHeld = (held: boolean): Promise<void> =>
    this.page.evaluate((wanted) => (globalThis as unknown as PhoneHost).jssipPhone.setHeld(wanted), held);
  ended = (): Promise<void> =>
    this.page.evaluate(() => (globalThis as unknown as PhoneHost).jssipPhone.ended());
  waitForTone = (hz: number): Promise<void> => waitForTone(this.page, hz);

  /** De-registers and closes the page. */
  async close(): Promise<void> {
    await this.page.evaluate(() => (globalThis as unknown as PhoneHost).jssipPhone.stop());
    await this.page.context().close();
  }
}
