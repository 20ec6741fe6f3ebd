import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { loadConfig } from '../../../gateway/config/load.js';
import { requirePeer } from '../../support/peers.js';
import { makeTestCertificate } from '../../support/test-certificate.js';

const deploy = fileURLToPath(new URL('../../../../docs/deploy/', import.meta.url));
const samples = readdirSync(deploy).filter((name) => /^webtrunk.*\.yaml$/.test(name));
const variable = /\$\{([A-Z_]+)(?::\?)?\}/g;

interface Compose {
  readonly services: Readonly<
    Record<
      string,
      {
        readonly build?: { readonly context: string; readonly dockerfile?: string };
        readonly environment?: Readonly<Record<string, string>>;
        readonly volumes?: readonly string[];
        readonly network_mode: string;
        readonly command?: readonly string[];
        readonly depends_on?: readonly string[];
      }
    >
  >;
}

interface PairSample {
  readonly listen: { readonly http: { readonly port: number }; readonly admin: { readonly port: number } };
  readonly sip: { readonly embedded: { readonly external_address: string } };
}

const read = (name: string): Promise<string> => readFile(join(deploy, name), 'utf8');

const variablesIn = (text: string): string[] => [...text.matchAll(variable)].map(([, name = '']) => name);

describe('samples for deployment', () => {
  for (const name of samples) {
    it(`${name} is a right configuration`, async function () {
      const pair = makeTestCertificate();
      if (pair === undefined) return this.skip();
      const folder = await mkdtemp(join(tmpdir(), 'webtrunk-deploy-'));
      try {
        const file = join(folder, name);
        await cp(join(deploy, name), file);
        await mkdir(join(folder, 'tls'));
        await writeFile(join(folder, 'tls', 'fullchain.pem'), pair.cert);
        await writeFile(join(folder, 'tls', 'privkey.pem'), pair.key);
        const names = variablesIn(await read(name));
        const values = Object.fromEntries(names.map((each) => [each, `${each}-value`]));
        const config = await loadConfig(file, { ...values, REDIS_URL: 'redis://:secret@10.0.0.30:6379' });
        assert.ok(config.trunks.length > 0 && config.routes.length > 0);
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  }

  it('compose.yaml names files that exist, gives every variable that webtrunk.yaml wants, and fits drachtio.conf.xml', async () => {
    const text = await read('compose.yaml');
    const { services } = parse(text) as Compose;
    for (const [
      name,
      { build, volumes = [], network_mode: network, depends_on: needs = [] },
    ] of Object.entries(services)) {
      assert.equal(network, 'host', name);
      for (const need of needs) assert.ok(need in services, need);
      if (build?.dockerfile !== undefined) {
        assert.ok(existsSync(join(deploy, build.context, build.dockerfile)), build.dockerfile);
      }
      for (const [source = ''] of volumes.map((volume) => volume.split(':'))) {
        if (source.startsWith('./') && source !== './tls')
          assert.ok(existsSync(join(deploy, source)), source);
      }
    }
    const wanted = variablesIn(await read('webtrunk.yaml'));
    assert.deepEqual(
      Object.keys(services['webtrunk']?.environment ?? {}).sort(),
      [...new Set(wanted)].sort(),
    );
    const { store } = parse(await read('webtrunk.yaml')) as { store: string };
    assert.ok(services['redis']?.command?.includes(new URL(store).hostname));
    const { drachtio } = (
      parse(await read('webtrunk.yaml')) as { sip: { drachtio: { host: string; port: number } } }
    ).sip;
    const admin = new RegExp(`<admin port="${drachtio.port}" secret="[^"]+">${drachtio.host}</admin>`);
    assert.match(await read('drachtio.conf.xml'), admin);
  });

  it('haproxy.cfg is taken by HAProxy, and fits webtrunk-pair.yaml', async function () {
    const program = requirePeer(this, 'haproxy');
    const pair = makeTestCertificate();
    if (pair === undefined) return this.skip();
    const text = await read('haproxy.cfg');
    const folder = await mkdtemp(join(tmpdir(), 'webtrunk-haproxy-'));
    try {
      const [pem, file] = [join(folder, 'own.pem'), join(folder, 'haproxy.cfg')];
      await writeFile(pem, pair.cert + pair.key);
      await writeFile(file, text.replace('/etc/haproxy/phone.example.com.pem', pem));
      execFileSync(program, ['-c', '-dW', '-f', file], { stdio: 'pipe' });
    } finally {
      await rm(folder, { recursive: true });
    }
    const { listen, sip } = parse(await read('webtrunk-pair.yaml')) as PairSample;
    assert.match(text, new RegExp(`check port ${listen.admin.port} `));
    assert.ok(text.includes(` ${sip.embedded.external_address}:${listen.http.port} `));
  });

  it('README.md tells of every file', async () => {
    const text = await read('README.md');
    for (const name of await readdir(deploy)) {
      if (name !== 'README.md' && !name.endsWith('.dockerignore'))
        assert.ok(text.includes(`](${name})`), name);
    }
  });
});
