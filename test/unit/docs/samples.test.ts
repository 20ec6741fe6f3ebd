import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../../../gateway/config/load.js';
import { makeTestCertificate } from '../../support/test-certificate.js';

const samples = fileURLToPath(new URL('../../../../docs/samples/', import.meta.url));

describe('sample configurations', () => {
  let folder: string;

  before(async function () {
    const pair = makeTestCertificate();
    if (pair === undefined) return this.skip();
    folder = await mkdtemp(join(tmpdir(), 'webtrunk-samples-'));
    for (const name of ['tls', 'sip']) {
      await writeFile(join(folder, `${name}.crt`), pair.cert);
      await writeFile(join(folder, `${name}.key`), pair.key);
    }
    await writeFile(join(folder, 'users.htdigest'), `alice:example.com:${'0'.repeat(32)}\n`);
  });

  after(() => rm(folder, { recursive: true }));

  for (const name of readdirSync(samples).filter((file) => file.endsWith('.yaml'))) {
    it(`${name} is right, and its routes lead somewhere`, async () => {
      const file = join(folder, name);
      await cp(join(samples, name), file);
      const text = await readFile(file, 'utf8');
      const names = [...text.matchAll(/\$\{([A-Z_]+)\}/g)].map(([, variable = '']) => variable);
      const config = await loadConfig(file, Object.fromEntries(names.map((variable) => [variable, 'x'])));
      assert.ok(config.routes.length > 0);
    });
  }
});
