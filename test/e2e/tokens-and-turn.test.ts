import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'mocha';
import type { Config } from '../../gateway/config/config.js';
import { Secret } from '../../gateway/config/secret.js';
import { turnCredentials } from '../../gateway/auth/turn-credentials.js';
import { launchChromium, type TestBrowser } from '../support/chromium.js';
import { startCoturn, type Coturn } from '../support/coturn.js';
import { passwordOf, type Gateway } from '../support/gateway.js';
import { startGatewayWithPages } from '../support/gateway-with-pages.js';
import { requirePeer } from '../support/peers.js';
import { Softphone } from '../support/softphone.js';
import { TokenIssuer } from '../support/token-issuer.js';
import { WsSipClient } from '../support/ws-sip-client.js';

const turnSecret = 'shared-with-coturn-8f1c';

/** Lets the page use relayed candidates only, and counts what it has found. */
const relayOnly = `{
  const Native = window.RTCPeerConnection;
  window.relayed = [];
  window.RTCPeerConnection = class extends Native {
    constructor(config) {
      super({ ...config, iceTransportPolicy: 'relay' });
      this.addEventListener('icecandidate', ({ candidate }) => candidate && window.relayed.push(candidate.type));
    }
  };
}`;

/** Gathers with those credentials; gives the types of the candidates and the codes of the errors. */
const gather = ([url, username, credential]: readonly string[]): string => `new Promise((resolve) => {
  const peer = new RTCPeerConnection({
    iceTransportPolicy: 'relay',
    iceServers: [{ urls: '${url}', username: '${username}', credential: '${credential}' }],
  });
  const seen = [];
  peer.addEventListener('icecandidateerror', ({ errorCode }) => seen.push(errorCode));
  peer.addEventListener('icecandidate', ({ candidate }) => {
    if (candidate !== null) return seen.push(candidate.type);
    peer.close();
    resolve([...new Set(seen)]);
  });
  peer.createDataChannel('x');
  void peer.setLocalDescription();
})`;

describe('people who sign in with a token, and TURN servers for those who have signed in', function () {
  this.timeout(40_000);
  let chromium: TestBrowser;
  let coturn: Coturn;
  let issuer: TokenIssuer;
  let gateway: Gateway | undefined;
  let phone: Softphone | undefined;

  before(async function () {
    const turnserver = requirePeer(this, 'turnserver');
    chromium = await launchChromium(requirePeer(this, 'chromium'), 440);
    coturn = await startCoturn(turnserver, turnSecret);
    issuer = await TokenIssuer.start();
  });
  afterEach(async () => {
    await phone?.close();
    phone = undefined;
    await gateway?.close();
    gateway = undefined;
  });
  after(async () => {
    await issuer?.close();
    await coturn?.close();
    await chromium?.close();
  });

  const iceServers = (): Config['ice']['servers'] => [
    {
      urls: [coturn.url],
      username: undefined,
      credential: undefined,
      secret: new Secret(turnSecret),
      ttlMs: 60_000,
    },
  ];
  const jwt = (loginUrl?: string): NonNullable<Config['jwt']> => ({
    keys: { kind: 'url', url: issuer.jwksUrl },
    algorithms: ['ES256'],
    audience: 'webtrunk',
    issuer: undefined,
    aorClaim: 'sip_aor',
    leewayMs: 0,
    cookie: undefined,
    authzServer: undefined,
    loginUrl,
  });
  const assertNotLogged = (...secrets: readonly string[]): void => {
    const logged = JSON.stringify(gateway?.lines);
    for (const secret of secrets) assert.ok(!logged.includes(secret), 'a secret is in the log');
  };

  it('calls over coturn with a password that only the signed-in user has got', async () => {
    gateway = await startGatewayWithPages({ iceServers: iceServers() });
    assert.equal((await fetch(`${gateway.pageUrl}/api/ice-servers`)).status, 401);
    assert.doesNotMatch(await (await fetch(`${gateway.pageUrl}/config.json`)).text(), /turn:/);
    phone = await Softphone.open(chromium, 'about:blank');
    await phone.context.addInitScript(relayOnly);
    await phone.page.goto(gateway.pageUrl);
    const fetched = phone.page.waitForResponse(/ice-servers/);
    await phone.signIn('alice', passwordOf('alice'));
    const { iceServers: given } = (await (await fetched).json()) as {
      iceServers: { username: string; credential: string }[];
    };
    assert.match(given[0]?.username ?? '', /^\d+:alice@localhost$/);
    await phone.dial('600');
    await phone.waitForState('In call');
    await phone.waitForTone(440);
    const relayed = await phone.page.evaluate('window.relayed');
    assert.deepEqual([...new Set(relayed as string[])], ['relay']);
    await phone.hangUp();
    assertNotLogged(turnSecret, given[0]?.credential ?? 'none', passwordOf('alice'));
  });

  it('coturn refuses credentials that are forged or over', async () => {
    phone = await Softphone.open(chromium, 'about:blank');
    const tried = async (secret: string, forMs: number): Promise<unknown> => {
      const { username, credential } = turnCredentials(secret, 'sip:alice@localhost', Date.now() + forMs);
      return phone?.page.evaluate(gather([coturn.url, username, credential]));
    };
    assert.deepEqual(await tried(turnSecret, 60_000), ['relay']);
    assert.deepEqual(await tried('another secret', 60_000), [401]);
    assert.deepEqual(await tried(turnSecret, -1_000), [401]);
  });

  it('signs in with the token in the address of the page, which forgets it, and goes on with a fresh one', async () => {
    gateway = await startGatewayWithPages({ jwt: jwt() });
    phone = await Softphone.open(chromium, 'about:blank');
    const [first, second] = [await issuer.sign({ expiresIn: 4 }), await issuer.sign({ expiresIn: 600 })];
    await phone.page.goto(`${gateway.pageUrl}/#access_token=${first}`);
    await phone.waitForLine('Connected as alice');
    assert.equal(new URL(phone.page.url()).hash, '');
    await phone.dial('600');
    await phone.waitForState('In call');
    await phone.page.evaluate(`location.hash = 'access_token=${second}'`);
    await phone.page.waitForTimeout(4_500);
    await phone.waitForLine('Connected as alice');
    await phone.waitForTone(440);
    assertNotLogged(first, second, second.split('.')[2] ?? second);
  });

  it('lets a call go on whose token ends, takes no new one, and says on the page that the sign-in has ended', async () => {
    gateway = await startGatewayWithPages({ jwt: jwt('https://id.example.com/login') });
    phone = await Softphone.open(chromium, 'about:blank');
    await phone.page.goto(`${gateway.pageUrl}/#access_token=${await issuer.sign({ expiresIn: 3 })}`);
    await phone.waitForLine('Connected as alice');
    await phone.dial('600');
    await phone.waitForState('In call');
    while ((gateway.app.inspect()['bindings'] ?? 0) > 0) await phone.page.waitForTimeout(50);
    await phone.page.waitForTimeout(1_200);
    assert.equal(gateway.app.inspect()['calls'], 1);
  });

  it('refuses the page of a user without a token and shows where one gets it', async () => {
    gateway = await startGatewayWithPages({ jwt: jwt('https://id.example.com/login') });
    phone = await Softphone.open(chromium, gateway.pageUrl);
    await phone.page.locator('#sign-in button[type=submit]:not([disabled])').waitFor();
    assert.equal(await phone.page.locator('#password').isVisible(), false);
    const client = await WsSipClient.connect(gateway.wsUrl, { user: 'alice', password: passwordOf('alice') });
    const answer = await client.transact(client.registerText());
    assert.equal(answer.headers.get('www-authenticate'), 'Bearer realm="localhost"');
    await client.close();
  });
});
