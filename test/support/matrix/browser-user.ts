import { parseMessage } from '../../../sip/message/index.js';
import { CallPage, type OfferChange } from '../call-page.js';
import type { TestBrowser } from '../chromium.js';
import { passwordOf, type Gateway } from '../gateway.js';
import { ScriptedPhone } from '../scripted-phone.js';
import { WsSipClient } from '../ws-sip-client.js';

/** A user of the gateway with the media of a page in Chromium, and signalling by script. */
export class BrowserUser {
  private constructor(
    readonly name: string,
    readonly hz: number,
    readonly page: CallPage,
    readonly phone: ScriptedPhone<OfferChange>,
    private readonly client: WsSipClient,
  ) {}

  /** Signs the user in; `codec`: the first one that the page speaks. */
  static async signIn(
    browser: TestBrowser,
    { wsUrl }: Gateway,
    { name, hz, codec }: { readonly name: string; readonly hz: number; readonly codec: string },
  ): Promise<BrowserUser> {
    const client = await WsSipClient.connect(wsUrl, { user: name, password: passwordOf(name) });
    const registered = await client.register();
    if (registered.status !== 200) throw new Error(`REGISTER is answered with ${registered.status}`);
    const page = await CallPage.open(browser, hz, codec);
    const line = {
      via: `WS ${client.contactHost}`,
      contact: client.contact,
      aor: client.aor,
      send: (text: string) => client.send(text),
    };
    const phone = new ScriptedPhone(line, page);
    client.socket.on('message', (data: Buffer) => {
      const message = parseMessage(data, { framing: 'websocket' });
      if (message.kind !== 'failure') phone.receive(message);
    });
    return new BrowserUser(name, hz, page, phone, client);
  }

  /** Signs out. */
  async close(): Promise<void> {
    await this.client.register({ expires: 0 });
    await this.client.close();
    await this.page.close();
  }
}
