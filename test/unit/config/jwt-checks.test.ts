import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../../gateway/config/load.js';
import { ConfigError } from '../../../gateway/config/problem.js';

const base = `listen: { http: { port: 8080 }, trusted_proxies: [10.0.0.0/8, "2001:db8::/32"] }
domains: [{ name: example.com, auth: jwt }]
media: { engine: passthrough }
`;
const keys = 'jwks_url: "https://id.example.com/jwks.json"';

describe('the section jwt', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'webtrunk-jwt-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const load = (text: string) => {
    const file = join(folder, 'webtrunk.yaml');
    writeFileSync(file, text);
    return loadConfig(file, { JWT_KEY: 'no key' });
  };

  it('needs no more than keys and an audience', async () => {
    const { domains, jwt, listen } = await load(`${base}jwt: { ${keys}, audience: webtrunk }\n`);
    assert.equal(domains[0]?.usesTokens, true);
    assert.deepEqual(jwt?.keys, { kind: 'url', url: 'https://id.example.com/jwks.json' });
    assert.deepEqual(jwt.algorithms, ['RS256', 'ES256', 'EdDSA']);
    assert.equal(jwt.aorClaim, 'sip_aor');
    assert.deepEqual(listen.proxies?.addresses, ['10.0.0.0/8', '2001:db8::/32']);
  });

  const broken: readonly (readonly [what: string, text: string, problem: RegExp])[] = [
    ['a domain without it', '', /domains\[0\]: auth: jwt needs to know whose tokens/],
    ['no keys', 'jwt: { audience: webtrunk }', /jwt: there are no keys/],
    [
      'two places of keys',
      `jwt: { ${keys}, keys_file: x.json, audience: webtrunk }`,
      /jwt: keys come from several/,
    ],
    ['no audience', `jwt: { ${keys} }`, /jwt\.audience: missing/],
    [
      'keys over http',
      'jwt: { jwks_url: "http://id.example.com/k", audience: a }',
      /jwt\.jwks_url: over http/,
    ],
    [
      'a shared secret',
      `jwt: { ${keys}, audience: a, algorithms: [HS256] }`,
      /1 problem\n.*jwt\.algorithms\[0\]: "\w+" is not one of RS256/,
    ],
    [
      'none',
      `jwt: { ${keys}, audience: a, algorithms: [none] }`,
      /1 problem\n.*jwt\.algorithms\[0\]: "\w+" is not one of RS256/,
    ],
    [
      'a key that is none',
      'jwt: { public_key: "-----BEGIN PUBLIC KEY-----x", audience: a }',
      /jwt\.public_key: it is neither/,
    ],
    [
      'a cookie for every page',
      `websocket: { origins: ["*"] }\njwt: { ${keys}, audience: a, cookie: sid }`,
      /jwt\.cookie: every page on the web/,
    ],
  ];
  for (const [what, text, problem] of broken) {
    it(`says what is wrong with ${what}`, async () => {
      await assert.rejects(load(`${base}${text}\n`), (thrown) => {
        assert.ok(thrown instanceof ConfigError);
        assert.match(thrown.message, problem);
        return true;
      });
    });
  }

  it('wants networks in trusted_proxies', async () => {
    const text = base.replace('10.0.0.0/8', 'proxy.example.com');
    await assert.rejects(
      load(`${text}jwt: { ${keys}, audience: a }\n`),
      /trusted_proxies\[0\]: "proxy.example.com" is not an IP address/,
    );
  });
});
