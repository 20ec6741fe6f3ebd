import assert from 'node:assert/strict';
import type { TrunkConfig } from '../../gateway/config/config.js';
import { Baresip, type BaresipOptions } from '../support/baresip.js';
import { bothHear, bothHoldAndResume, browserHz, phoneHz } from '../support/browser-and-phone.js';
import { launchChromium, type TestBrowser } from '../support/chromium.js';
import { ipTrunk, passwordOf, usersRoute, type Gateway } from '../support/gateway.js';
import { startGatewayWithPages } from '../support/gateway-with-pages.js';
import { idle } from '../support/idle.js';
import { requirePeer } from '../support/peers.js';
import { Rtpengine } from '../support/rtpengine.js';
import { Softphone } from '../support/softphone.js';

type Srtp = NonNullable<TrunkConfig['media']['srtp']>;

/** Chromium → webtrunk → baresip, and back, with SRTP between rtpengine and baresip. */
describe('SRTP with keys in SDP towards a trunk', function () {
  this.timeout(30_000);
  let browser: TestBrowser;
  let server: Rtpengine;
  let program: string;
  let gateway: Gateway | undefined;
  let alice: Softphone;
  let phone: Baresip;

  before(async function () {
    const chromium = requirePeer(this, 'chromium');
    program = requirePeer(this, 'baresip');
    server = await Rtpengine.start(requirePeer(this, 'rtpengine'));
    browser = await launchChromium(chromium, browserHz);
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const open = async (srtp: Srtp, media: BaresipOptions['media']): Promise<Gateway> => {
    phone = await Baresip.start({
      program,
      user: '1001',
      hz: phoneHz,
      ...(media === undefined ? {} : { media }),
    });
    const uri = `sip:1001@${phone.address};transport=udp`;
    const opened = await startGatewayWithPages({
      trunks: [ipTrunk('pbx', uri, { media: { codecs: ['PCMU'], ptimeMs: undefined, srtp } })],
      routes: [
        usersRoute,
        { name: 'phones', match: /^1\d{3}$/, fromTrunk: undefined, to: { kind: 'trunks', trunks: ['pbx'] } },
      ],
      websocket: { resumeGraceMs: 0 },
      media: { engine: 'rtpengine', instances: [{ address: server.address, weight: 1 }] },
    });
    gateway = opened;
    alice = await Softphone.open(browser, opened.pageUrl);
    await alice.signIn('alice', passwordOf('alice'));
    return opened;
  };

  afterEach(async () => {
    await alice.close();
    if (gateway !== undefined) await idle(gateway);
    assert.equal(await server.calls(), 0);
    await phone.close();
    await gateway?.close();
  });

  const lastEnded = async (opened: Gateway): Promise<unknown> => {
    await idle(opened);
    return opened.lines.filter(({ event }) => event === 'call.ended').at(-1)?.['code'];
  };

  for (const [srtp, media, isEncrypted] of [
    ['required', 'SDES', true],
    ['optional', 'optional SDES', true],
    ['optional', undefined, false],
    ['off', 'optional SDES', false],
  ] as const) {
    const what = `${isEncrypted ? 'is encrypted' : 'is plain'}, with srtp: ${srtp} and ${media ?? 'no SRTP'} there`;
    it(`${what}: calls both ways, each holds and resumes`, async () => {
      const opened = await open(srtp, media);
      await alice.dial('1001');
      await phone.event('CALL_INCOMING');
      phone.accept();
      await alice.waitForState('In call');
      await bothHear(alice, phone);
      assert.equal(phone.output.includes('SRTP is Enabled'), isEncrypted, phone.output);
      await bothHoldAndResume(alice, phone);
      await alice.hangUp();
      await phone.event('CALL_CLOSED');
      await idle(opened);

      phone.dial(`sip:alice@${opened.sipAddress}`);
      await alice.waitForIncoming();
      await alice.answer();
      await bothHear(alice, phone);
      await bothHoldAndResume(alice, phone);
      phone.hangUp();
      await phone.event('CALL_CLOSED');
    });
  }

  it('is taken from a phone that demands it when it is optional', async () => {
    const opened = await open('optional', 'SDES');
    phone.dial(`sip:alice@${opened.sipAddress}`);
    await alice.waitForIncoming();
    await alice.answer();
    await bothHear(alice, phone);
    assert.match(phone.output, /SRTP is Enabled/);
    phone.hangUp();
    await phone.event('CALL_CLOSED');
  });

  it('is refused when it is required and the phone has none', async () => {
    const opened = await open('required', undefined);
    phone.dial(`sip:alice@${opened.sipAddress}`);
    assert.match((await phone.event('CALL_CLOSED')).param ?? '', /488/);
    assert.equal(await lastEnded(opened), 'media.not_acceptable');
    await alice.dial('1001');
    await phone.event('CALL_CLOSED');
    await alice.waitForNoCall();
  });

  it('is refused when it is off and the phone demands it', async () => {
    const opened = await open('off', 'SDES');
    phone.dial(`sip:alice@${opened.sipAddress}`);
    assert.match((await phone.event('CALL_CLOSED')).param ?? '', /488/);
    assert.equal(await lastEnded(opened), 'media.not_acceptable');
  });
});
