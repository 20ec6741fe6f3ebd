import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { parseConfig } from '../../../gateway/config/load.js';
import { ConfigError } from '../../../gateway/config/problem.js';
import { exampleConfig } from '../../support/docs/example-config.js';
import { generatedDocs } from '../../support/docs/generated.js';

describe('generated documents', () => {
  it('are what the code says (npm run docs writes them)', async () => {
    for (const { path, text } of await generatedDocs()) {
      assert.equal(await readFile(path, 'utf8'), text, `${basename(path)} is stale: npm run docs`);
    }
  });

  it('show an example that is right but for the files that it names', async () => {
    const env = { WEBTRUNK_ADMIN_TOKEN: 'a', ALICE_PASSWORD: 'b', BOB_PASSWORD: 'c', PBX_PASSWORD: 'd' };
    await assert.rejects(parseConfig(exampleConfig, '/x/webtrunk.yaml', env), (thrown) => {
      assert.ok(thrown instanceof ConfigError);
      assert.deepEqual(
        thrown.problems.map(({ path }) => path),
        ['listen.https.cert', 'listen.https.key'],
      );
      return true;
    });
    const plain = exampleConfig.replace(/ {2}https:.*/, '  http: { port: 8080 }');
    const config = await parseConfig(plain, '/x/webtrunk.yaml', env);
    assert.equal(config.trunks[0]?.hosts.length, 2);
  });

  it('are led to by a README whose example is right', async () => {
    const readme = await readFile(new URL('../../../../README.md', import.meta.url), 'utf8');
    const [, yaml = ''] = /```yaml\n([\s\S]*?)```/.exec(readme) ?? [];
    const config = await parseConfig(yaml, '/x/webtrunk.yaml', { ALICE_PASSWORD: 'a', PBX_PASSWORD: 'b' });
    assert.equal(config.trunks[0]?.name, 'office');
    assert.equal(config.routes.length, 3);
  });
});
