import assert from 'node:assert/strict';
import { Secret } from '../../gateway/config/secret.js';
import { sentFrom, turnOnly } from '../in-page/turn-only.js';
import { startCoturn, type Coturn } from '../support/coturn.js';
import { browserHz, CutOffice, phoneHz } from '../support/cut-office.js';
import { freePort } from '../support/free-port.js';
import { passwordOf } from '../support/gateway.js';
import { idle } from '../support/idle.js';
import { requirePeer } from '../support/peers.js';
import { Softphone } from '../support/softphone.js';

const turnSecret = 'shared-with-coturn-52be';
const [oldAddress, newAddress] = ['127.0.0.1', '127.0.0.2'] as const;
const heardAgainWithinMs = 20_000;

/** The browser's media comes from the TURN server of the network that it is in: that is its address for webtrunk. */
describe('a browser that changes from one network to another in a call', function () {
  this.timeout(90_000);
  let office: CutOffice;
  let turn: Coturn;
  let alice: Softphone;
  let startNext: () => Promise<Coturn>;

  before(async function () {
    const chromium = requirePeer(this, 'chromium');
    const kamailio = requirePeer(this, 'kamailio');
    const baresip = requirePeer(this, 'baresip');
    const turnserver = requirePeer(this, 'turnserver');
    const port = await freePort();
    turn = await startCoturn(turnserver, turnSecret, { address: oldAddress });
    startNext = () => startCoturn(turnserver, turnSecret, { address: newAddress, port });
    const server = {
      username: undefined,
      credential: undefined,
      secret: new Secret(turnSecret),
      ttlMs: 600_000,
    };
    const urls = [turn.url, `turn:${newAddress}:${port}?transport=udp`];
    office = await CutOffice.start({ chromium, kamailio, baresip }, { iceServers: [{ ...server, urls }] });
    alice = await Softphone.open(office.browser, 'about:blank');
    await alice.context.addInitScript(turnOnly);
    await alice.page.goto(office.pageUrl);
    const servers = alice.page.waitForResponse(/ice-servers/);
    await alice.signIn('alice', passwordOf('alice'));
    await servers;
  });
  after(async () => {
    await alice?.close();
    await office?.close();
    await turn?.close();
  });

  it('is connected from its new address by an ICE restart, and both hear each other again', async () => {
    await alice.dial('1001');
    await office.phone.event('CALL_INCOMING');
    office.phone.accept();
    await alice.waitForState('In call');
    await Promise.all([alice.waitForTone(phoneHz), office.phone.waitForTone(browserHz)]);
    assert.deepEqual(await alice.page.evaluate(sentFrom), [oldAddress]);

    await alice.context.setOffline(true);
    office.line.cut();
    await turn.close();
    turn = await startNext();
    office.line.mend();
    const changedAtMs = Date.now();
    await alice.context.setOffline(false);
    await Promise.all([
      alice.waitForTone(phoneHz, heardAgainWithinMs),
      office.phone.waitForTone(browserHz, heardAgainWithinMs),
    ]);
    process.stdout.write(`      both hear each other ${Date.now() - changedAtMs} ms after the change\n`);
    assert.deepEqual(await alice.page.evaluate(sentFrom), [newAddress]);
    await alice.hangUp();
    await office.phone.event('CALL_CLOSED');
    await idle(office.gateway);
  });
});
