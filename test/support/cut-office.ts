import type { RouteConfig } from '../../gateway/config/config.js';
import { Secret } from '../../gateway/config/secret.js';
import { Baresip } from './baresip.js';
import { launchChromium, type TestBrowser } from './chromium.js';
import { CutLine } from './cut-line.js';
import { freePort } from './free-port.js';
import { ipTrunk, passwordOf, usersRoute, type Gateway, type GatewayOptions } from './gateway.js';
import { startGatewayWithPages } from './gateway-with-pages.js';
import { Kamailio } from './kamailio.js';
import { EarlyPhone } from './lost-socket/early-phone.js';
import { findPeer } from './peers.js';
import { Rtpengine } from './rtpengine.js';
import { Softphone } from './softphone.js';

const users = { '1001': 'phone-secret', gw: 'gw-secret' };
const phonesRoute: RouteConfig = {
  name: 'phones',
  match: /^1\d{3}$/,
  fromTrunk: undefined,
  to: { kind: 'trunks', trunks: ['pbx'] },
};

export interface CutOfficePrograms {
  readonly chromium: string;
  readonly kamailio: string;
  readonly baresip: string;
  /** The relay carries the media when not given. */
  readonly rtpengine?: string;
}

export interface CutOfficeOptions {
  readonly resumeGraceMs?: number;
  readonly cdrFile?: string;
  readonly iceServers?: GatewayOptions['iceServers'];
}

/** What alice speaks in Chromium, and the telephone 1001. */
export const [browserHz, phoneHz] = [440, 1_000] as const;

/** Those that are installed; undefined when one is not. */
export function findCutOfficePrograms(): CutOfficePrograms | undefined {
  const [chromium, kamailio, baresip] = [findPeer('chromium'), findPeer('kamailio'), findPeer('baresip')];
  if (chromium === undefined || kamailio === undefined || baresip === undefined) return undefined;
  return { chromium, kamailio, baresip };
}

/**
 * Chromium → a line that can be cut → webtrunk → Kamailio → baresip, which is 1001, and a telephone with early media, 1002. The telephone calls alice at
 * {@link CutOffice.aliceUri}.
 */
export class CutOffice {
  private constructor(
    readonly browser: TestBrowser,
    readonly gateway: Gateway,
    readonly line: CutLine,
    readonly kamailio: Kamailio,
    readonly phone: Baresip,
    /** 1002, which is heard before it is answered. */
    readonly earlyPhone: EarlyPhone,
    private readonly closeAll: () => Promise<void>,
  ) {}

  static async start(programs: CutOfficePrograms, options: CutOfficeOptions = {}): Promise<CutOffice> {
    const closing: (() => Promise<unknown>)[] = [];
    const closeAll = async (): Promise<void> => {
      for (const close of closing.splice(0).reverse()) await close();
    };
    try {
      return await CutOffice.#start(programs, options, closing, closeAll);
    } catch (error) {
      await closeAll();
      throw error;
    }
  }

  static async #start(
    programs: CutOfficePrograms,
    { resumeGraceMs = 30_000, cdrFile, iceServers }: CutOfficeOptions,
    closing: (() => Promise<unknown>)[],
    closeAll: () => Promise<void>,
  ): Promise<CutOffice> {
    const browser = await launchChromium(programs.chromium, browserHz);
    closing.push(() => browser.close());
    const server = programs.rtpengine === undefined ? undefined : await Rtpengine.start(programs.rtpengine);
    if (server !== undefined) closing.push(() => server.stop());
    const port = await freePort();
    const auth = { username: 'gw', password: new Secret(users.gw) };
    const gateway = await startGatewayWithPages({
      trunks: [ipTrunk('pbx', `sip:127.0.0.1:${port};transport=udp`, { type: 'auth', auth })],
      routes: [usersRoute, phonesRoute],
      websocket: { resumeGraceMs },
      ...(cdrFile === undefined ? {} : { cdrFile }),
      ...(iceServers === undefined ? {} : { iceServers }),
      ...(server === undefined
        ? {}
        : { media: { engine: 'rtpengine', instances: [{ address: server.address, weight: 1 }] } }),
    });
    closing.push(() => gateway.close());
    const numbers = { numbers: ['alice'], address: gateway.sipAddress };
    const earlyPhone = await EarlyPhone.start(phoneHz);
    closing.push(() => Promise.resolve(earlyPhone.close()));
    const phones = { '1002': earlyPhone.address };
    const kamailio = await Kamailio.start({
      program: programs.kamailio,
      users,
      gateway: numbers,
      phones,
      port,
    });
    closing.push(() => kamailio.close());
    const account = { user: '1001', password: users['1001'], registrar: kamailio.address };
    const phone = await Baresip.start({ program: programs.baresip, ...account, hz: phoneHz });
    closing.push(() => phone.close());
    const line = await CutLine.to(Number(new URL(gateway.pageUrl).port));
    closing.push(() => line.close());
    return new CutOffice(browser, gateway, line, kamailio, phone, earlyPhone, closeAll);
  }

  /** What the telephone dials. */
  get aliceUri(): string {
    return `sip:alice@${this.kamailio.address}`;
  }

  /** The page behind the line. */
  get pageUrl(): string {
    return `http://127.0.0.1:${this.line.port}`;
  }

  /** Alice, signed in, behind the line. */
  async openSoftphone(): Promise<Softphone> {
    const alice = await Softphone.open(this.browser, `${this.pageUrl}/`);
    await alice.signIn('alice', passwordOf('alice'));
    return alice;
  }

  close(): Promise<void> {
    return this.closeAll();
  }
}
