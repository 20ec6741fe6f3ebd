import assert from 'node:assert/strict';
import type { Config } from '../../../gateway/config/config.js';
import { diffConfig, withLiveChanges } from '../../../gateway/config/diff.js';
import { parseConfig } from '../../../gateway/config/load.js';
import { rightConfig, rightEnvironment } from './config-fixtures.js';

const load = (change: (text: string) => string = (text) => text, env = rightEnvironment): Promise<Config> =>
  parseConfig(change(rightConfig), '/x/webtrunk.yaml', env);

const changesOf = async (change: (text: string) => string, env = rightEnvironment): Promise<string[]> =>
  diffConfig(await load(), await load(change, env)).map(
    ({ path, kind, isLive }) => `${path} ${kind}${isLive ? '' : ', needs a restart'}`,
  );

const cases: Readonly<Record<string, readonly [(text: string) => string, readonly string[]]>> = {
  nothing: [(text) => text, []],
  'a codec of a trunk': [(text) => text.replace('[PCMA, opus]', '[PCMA]'), ['trunks.office changed']],
  'a trunk more': [
    (text) =>
      text.replace('routes:', '  - { name: backup, type: ip, hosts: [{ uri: "sip:192.0.2.9" }] }\nroutes:'),
    ['trunks.backup added'],
  ],
  'the order of routes': [
    (text) => {
      const lines = text.split('\n');
      const at = lines.findIndex((line) => line.includes('name: staff'));
      lines.splice(at, 2, lines[at + 1] ?? '', lines[at] ?? '');
      return lines.join('\n');
    },
    ['routes changed'],
  ],
  'a user less': [(text) => text.replace(/.*name: bob.*\n/, ''), ['domains.example.com.users.bob removed']],
  'a limit and a port': [
    (text) =>
      text.replace('calls_per_endpoint: 2', 'calls_per_endpoint: 3').replace('port: 8080', 'port: 8090'),
    ['listen.http.port changed, needs a restart', 'limits.callsPerEndpoint changed'],
  ],
};

describe('the difference of two configurations', () => {
  for (const [name, [change, expected]] of Object.entries(cases)) {
    it(`tells ${name}`, async () => assert.deepEqual(await changesOf(change), expected));
  }

  it('tells that a secret is another one, without telling either', async () => {
    const env = { ...rightEnvironment, PBX_PASSWORD: 'another-value' };
    assert.deepEqual(await changesOf((text) => text, env), ['trunks.office changed']);
  });

  it('keeps what needs a restart as it was', async () => {
    const before = await load();
    const after = await load((text) =>
      text.replace('port: 8080', 'port: 8090').replace('[PCMA, opus]', '[PCMA]'),
    );
    const merged = withLiveChanges(before, after);
    assert.equal(merged.listen.http?.port, 8080);
    assert.deepEqual(merged.trunks[0]?.media.codecs, ['PCMA']);
  });
});
