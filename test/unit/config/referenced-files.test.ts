import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig } from '../../../gateway/config/load.js';
import { ConfigError } from '../../../gateway/config/problem.js';
import { makeTestCertificate } from '../../support/test-certificate.js';
import { rightEnvironment, withLine } from './config-fixtures.js';

const https = '  https: { port: 8443, cert: tls.crt, key: tls.key }';
const usersFile = 'users: [], users_file: users.htdigest';
const hash = '0123456789abcdef0123456789abcdef';

describe('files that a configuration names', () => {
  let folder: string | undefined;
  let tls: { cert: string; key: string };
  const place = (name: string, text: string): Promise<void> => writeFile(join(folder ?? '', name), text);
  const load = (text: string) => parseConfig(text, join(folder ?? '', 'webtrunk.yaml'), rightEnvironment);

  async function problemsOf(text: string): Promise<string[]> {
    try {
      await load(text);
    } catch (thrown) {
      assert.ok(thrown instanceof ConfigError);
      return thrown.problems.map(({ path, line, problem }) => `${line} ${path}: ${problem}`);
    }
    return [];
  }

  before(async function () {
    const made = makeTestCertificate();
    if (made === undefined) return this.skip();
    tls = made;
    folder = await mkdtemp(join(tmpdir(), 'webtrunk-config-'));
  });
  beforeEach(async () => {
    await place('tls.crt', tls.cert);
    await place('tls.key', tls.key);
  });
  after(async () => {
    if (folder !== undefined) await rm(folder, { recursive: true });
  });

  it('are found beside the configuration and read', async () => {
    const config = await load(withLine(2, https));
    assert.equal(config.listen.https?.cert, tls.cert);
    assert.equal(config.listen.https.key.reveal(), tls.key);
    assert.equal(JSON.stringify(config).includes('PRIVATE KEY'), false);
  });

  it('must be certificate and key of each other', async () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    await place('tls.key', privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
    assert.deepEqual(await problemsOf(withLine(2, https)), [
      '2 listen.https.key: the key is not that of the certificate',
    ]);
  });

  it('must hold what they are for', async () => {
    await place('tls.crt', 'nothing');
    await place('tls.key', 'nothing');
    assert.deepEqual(await problemsOf(withLine(2, https)), [
      '2 listen.https.cert: no certificate in this file',
      '2 listen.https.key: no private key in this file',
    ]);
  });

  it('name the authority of drachtio-server, and the journal beside the configuration', async () => {
    const drachtio = (more: string) =>
      withLine(11, `  engine: drachtio\n  drachtio: { secret: x, tls: { ca: tls.crt }${more} }`);
    const { sip } = await load(drachtio(''));
    assert.equal(sip.engine, 'drachtio');
    assert.deepEqual(sip.tls, { ca: tls.cert, serverName: undefined });
    assert.equal(sip.journal, join(folder ?? '', 'webtrunk.dialogs.ndjson'));
    const named = await load(drachtio(', journal: /var/lib/webtrunk/calls'));
    assert.ok(named.sip.engine === 'drachtio');
    assert.equal(named.sip.journal, '/var/lib/webtrunk/calls');
    await place('tls.crt', 'nothing');
    assert.deepEqual(await problemsOf(drachtio('')), ['12 sip.drachtio.tls.ca: no certificate in this file']);
  });

  it('give users of the domain', async () => {
    await place('users.htdigest', `# staff\ncarol:example.com:${hash}\n`);
    const config = await load(domainOf('example.com', usersFile));
    assert.equal(config.domains[0]?.htdigest?.reveal().includes(hash), true);
    assert.equal(JSON.stringify(config).includes(hash), false);
  });

  it('must have readable lines of users', async () => {
    await place('users.htdigest', `carol:example.com:${hash}\ndave:example.com:secret\n`);
    assert.deepEqual(await problemsOf(domainOf('example.com', usersFile)), [
      '5 domains[0].users_file: line 2 of the users file is not user:realm:HA1',
    ]);
  });

  it('name the realm in lower case, as users sign in', async () => {
    await place('users.htdigest', `carol:Example.com:${hash}\n`);
    assert.deepEqual(await problemsOf(domainOf('Example.com', usersFile)), [
      '5 domains[0].users_file: no line of the users file has the realm example.com',
    ]);
  });

  it('must have a user of the domain', async () => {
    await place('users.htdigest', `carol:example.net:${hash}\n`);
    assert.deepEqual(await problemsOf(domainOf('example.com', usersFile)), [
      '5 domains[0].users_file: no line of the users file has the realm example.com',
    ]);
  });
});

/** The right configuration with one domain on line 5. */
function domainOf(name: string, rest: string): string {
  const lines = withLine(5, `domains: [{ name: ${name}, ${rest} }]`).split('\n');
  lines.splice(5, 4);
  return lines.join('\n');
}
