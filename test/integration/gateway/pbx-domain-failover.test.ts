import assert from 'node:assert/strict';
import { idle } from '../../support/idle.js';
import { officeOptions, pbxDomain, PbxDomainRig } from '../../support/pbx-domain-rig.js';
import { sdp } from '../../support/sip-peer.js';
import { acknowledge, answer, inDialog, nextRequest } from '../../support/ws-call.js';

const colleague = `sip:1002@${pbxDomain}`;

/** Two hosts of one PBX, each with nonces of its own. */
describe('a domain whose PBX has two hosts', () => {
  let rig: PbxDomainRig;

  beforeEach(async () => {
    rig = await PbxDomainRig.start(['127.0.0.2', '127.0.0.3'], (uris) =>
      officeOptions(uris, { attemptTimeoutMs: 300, options: { everyMs: 100, failAfter: 2 } }),
    );
    for (const pbx of rig.pbxs) {
      pbx.onRequest = (request) => {
        const headers = [`Contact: <sip:1002@${pbx.address}:${pbx.peer.port}>`, 'Expires: 60'];
        const body = request.method === 'INVITE' ? { body: sdp(7002) } : {};
        pbx.peer.respond(request, 200, 'OK', { headers, ...body });
      };
    }
  });

  afterEach(() => rig.close());

  const hostStates = (): readonly string[] =>
    (rig.gateway.app.trunkStatuses.get('office')?.hosts ?? []).map(({ state }) => state);
  const untilHost = async (index: number, state: string): Promise<void> => {
    const untilMs = Date.now() + 5_000;
    while (hostStates()[index] !== state) {
      assert.ok(Date.now() < untilMs, `host ${index} is ${String(hostStates()[index])}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const [first, second] = [0, 1].map((index) => () => rig.pbxs[index] ?? assert.fail('no host'));
  const [one, other] = [first ?? assert.fail(), second ?? assert.fail()];
  /** It answers nothing any more but BYE, so that tests end soon. */
  const die = (): void => {
    const { peer } = one();
    peer.onMessage = (message) => {
      if (message.kind === 'request' && message.method === 'BYE') peer.respond(message, 200, 'OK');
    };
  };

  it('gets all that a user asks at the host that knows its nonces', async () => {
    assert.equal((await rig.browser.register()).status, 200);
    for (let count = 0; count < 4; count += 1) {
      assert.equal((await rig.ask('MESSAGE', colleague, ['Content-Type: text/plain'], 'x')).status, 200);
    }
    assert.equal(other().seen('REGISTER').length + other().seen('MESSAGE').length, 0);
  });

  it('is asked at the other host when one is silent: registration, calls, messages, subscriptions', async () => {
    die();
    assert.equal((await rig.browser.register()).status, 200);
    assert.notEqual(other().binding, undefined);
    await untilHost(0, 'down');
    const answered = await rig.ask('INVITE', colleague, ['Content-Type: application/sdp'], sdp(7000));
    assert.equal(answered.status, 200);
    acknowledge(rig.browser, answered);
    await rig.browser.transact(inDialog(rig.browser, 'BYE', answered));
    assert.equal((await rig.ask('MESSAGE', colleague, ['Content-Type: text/plain'], 'x')).status, 200);
    assert.equal((await rig.ask('SUBSCRIBE', colleague, ['Event: presence'])).status, 200);
    assert.equal(one().seen('MESSAGE').length, 0);
  });

  it('whose host dies is left by the browsers that are registered there: their sockets close with 1012', async () => {
    assert.equal((await rig.browser.register()).status, 200);
    await untilHost(0, 'up');
    die();
    const { code } = await rig.browser.closed;
    assert.equal(code, 1012);
  });

  it('whose host dies gets the next refresh of who is in a call at the other, which then calls the browser', async () => {
    assert.equal((await rig.browser.register()).status, 200);
    assert.equal(other().binding, undefined);
    await untilHost(0, 'up');
    const call = await rig.ask('INVITE', colleague, ['Content-Type: application/sdp'], sdp(7000));
    acknowledge(rig.browser, call);
    die();
    await untilHost(0, 'down');
    await idle(rig.gateway, ['pbxMoves']);
    assert.equal((await rig.browser.register()).status, 200);
    const { browser } = rig;
    assert.equal((await browser.transact(inDialog(browser, 'BYE', call))).status, 200);
    const since = browser.received.length;
    const headers = ['Content-Type: application/sdp'];
    other().peer.send(other().requestText('INVITE', { callId: 'after', headers, body: sdp(7002) }));
    const invite = await nextRequest(browser, 'INVITE', since);
    answer(browser, invite, 486);
    assert.equal((await other().peer.status(486)).callId, 'after');
  });

  it('is asked at the other host when one answers 503, and the 503 is told when both do', async () => {
    const refuse = (pbx: ReturnType<typeof one>): void => {
      pbx.peer.onMessage = (message) => {
        if (message.kind !== 'request') return;
        pbx.peer.respond(message, 503, 'Too Busy', { headers: ['Retry-After: 7'] });
      };
    };
    refuse(one());
    assert.equal((await rig.browser.register()).status, 200);
    refuse(other());
    const refused = await rig.browser.transact(rig.browser.registerText());
    assert.equal(refused.status, 503);
    assert.equal(refused.reason, 'Too Busy');
    assert.equal(refused.headers.get('retry-after'), '7');
  });
});
