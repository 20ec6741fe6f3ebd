import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { Page } from 'playwright-core';
import { recordSetup, type SetupMoments } from '../in-page/record-setup.js';
import { launchChromium, type TestBrowser } from '../support/chromium.js';
import { ipTrunk, passwordOf, usersRoute, type GatewayOptions } from '../support/gateway.js';
import { startGatewayWithPages } from '../support/gateway-with-pages.js';
import { findPeer } from '../support/peers.js';
import { Rtpengine } from '../support/rtpengine.js';
import { Softphone } from '../support/softphone.js';
import { within } from '../support/within.js';
import { percentile } from './pace.js';
import { QuickPhone } from './quick-phone.js';
import type { Row } from './table.js';

const calls = 8;
const patienceMs = 8_000;

/** Milliseconds from the click on Call, of one call. */
interface SetupTimes {
  readonly microphone: number;
  readonly invite: number;
  readonly answered: number;
  readonly ice: number;
  readonly connected: number;
  readonly callerHears: number;
  readonly calleeHears: number;
}

/** What takes the calls at once: a phone behind the gateway's trunk, or another page. */
interface Callee {
  readonly number: string;
  /** When the first packet of this call came, in milliseconds since the Unix epoch. */
  heard(): Promise<number>;
}

/**
 * From the click on Call in Chromium to the first RTP packet in both directions, medians of some calls each: through the relay,
 * through rtpengine, and from page to page, without a STUN server and with one that does not answer. The callee answers at once.
 * Undefined when there is no Chromium.
 */
export async function benchCallSetup(say: (text: string) => void): Promise<Row[] | undefined> {
  const program = findPeer('chromium');
  if (program === undefined) return undefined;
  const browser = await launchChromium(program, 440);
  const deaf = createSocket('udp4').bind(0, '127.0.0.1');
  await once(deaf, 'listening');
  const rtpengineProgram = findPeer('rtpengine');
  const rtpengine = rtpengineProgram === undefined ? undefined : await Rtpengine.start(rtpengineProgram);
  const urls = [`stun:127.0.0.1:${deaf.address().port}`];
  const iceServers = [{ urls, username: undefined, credential: undefined }];
  const rows: Row[] = [];
  try {
    for (const [stun, servers] of [
      ['none', {}],
      ['does not answer', { iceServers }],
    ] as const) {
      const add = (media: string, times: readonly SetupTimes[]): void => {
        rows.push(rowOf(media, stun, times));
        say(`  ${media}, STUN: ${stun}: done`);
      };
      add('relay', await toPhone(browser, { ...servers, mediaProcesses: 1 }));
      add(
        'relay, always',
        await toPhone(browser, { ...servers, mediaProcesses: 1, browserToBrowser: 'anchored' }),
      );
      if (rtpengine !== undefined) {
        const media = {
          engine: 'rtpengine',
          instances: [{ address: rtpengine.address, weight: 1 }],
        } as const;
        add('rtpengine', await toPhone(browser, { ...servers, media }));
      }
      add('page to page', await toPage(browser, servers));
    }
  } finally {
    deaf.close();
    await rtpengine?.stop();
    await browser.close();
  }
  return rows;
}

async function toPhone(browser: TestBrowser, options: GatewayOptions): Promise<SetupTimes[]> {
  const phone = await QuickPhone.open();
  const route = {
    name: 'out',
    match: /^700$/,
    fromTrunk: undefined,
    to: { kind: 'trunks', trunks: ['pbx'] },
  } as const;
  try {
    return await measure(
      browser,
      { ...options, trunks: [ipTrunk('pbx', phone.uri)], routes: [route] },
      () => phone,
    );
  } finally {
    phone.close();
  }
}

function toPage(browser: TestBrowser, options: GatewayOptions): Promise<SetupTimes[]> {
  return measure(browser, { ...options, routes: [usersRoute] }, async (pageUrl) => {
    const bob = await openPhone(browser, pageUrl, 'bob');
    return { number: 'bob', heard: async () => (await momentsOf(bob.page)).heardMs ?? Number.NaN };
  });
}

async function measure(
  browser: TestBrowser,
  options: GatewayOptions,
  calleeAt: (pageUrl: string) => Callee | Promise<Callee>,
): Promise<SetupTimes[]> {
  const gateway = await startGatewayWithPages({ ...options, websocket: { resumeGraceMs: 0 } });
  const contexts = browser.browser.contexts().length;
  try {
    const callee = await calleeAt(gateway.pageUrl);
    const alice = await openPhone(browser, gateway.pageUrl, 'alice');
    const times: SetupTimes[] = [];
    for (let call = 0; call < calls; call++) times.push(await oneCall(alice, callee));
    return times;
  } finally {
    for (const context of browser.browser.contexts().slice(contexts)) await context.close();
    await gateway.close();
  }
}

async function openPhone(browser: TestBrowser, pageUrl: string, user: string): Promise<Softphone> {
  const phone = await Softphone.open(browser, pageUrl);
  await phone.context.addInitScript(recordSetup);
  await phone.page.reload();
  await phone.signIn(user, passwordOf(user));
  return phone;
}

async function oneCall(alice: Softphone, callee: Callee): Promise<SetupTimes> {
  await alice.dial(callee.number);
  const moments = await momentsOf(alice.page);
  const calleeHeardMs = await within(patienceMs, 'the callee hears', callee.heard());
  await alice.hangUp();
  await alice.waitForNoCall();
  const since = (momentMs = Number.NaN): number => momentMs - (moments.pressedMs ?? Number.NaN);
  return {
    microphone: since(moments.microphoneMs),
    invite: since(moments.sentMs),
    answered: since(moments.answeredMs),
    ice: since(moments.iceMs),
    connected: since(moments.connectedMs),
    callerHears: since(moments.heardMs),
    calleeHears: since(calleeHeardMs),
  };
}

/** The moments of the page's call, once it hears something. */
async function momentsOf(page: Page): Promise<SetupMoments> {
  await page.waitForFunction(
    () => 'heardMs' in (globalThis as unknown as { setup: object }).setup,
    undefined,
    {
      timeout: patienceMs,
    },
  );
  return page.evaluate(() => (globalThis as unknown as { setup: SetupMoments }).setup);
}

function rowOf(media: string, stun: string, times: readonly SetupTimes[]): Row {
  const show = (pick: (one: SetupTimes) => number): string => {
    const all = times.map(pick);
    return `${percentile(all, 0.5).toFixed(0)} (${Math.min(...all).toFixed(0)}-${Math.max(...all).toFixed(0)}) ms`;
  };
  return {
    media,
    'STUN server': stun,
    microphone: show(({ microphone }) => microphone),
    'INVITE leaves': show(({ invite }) => invite),
    '200 comes': show(({ answered }) => answered),
    'ICE connected': show(({ ice }) => ice),
    'DTLS connected': show(({ connected }) => connected),
    'caller hears': show(({ callerHears }) => callerHears),
    'callee hears': show(({ calleeHears }) => calleeHears),
  };
}
