import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Config } from '../../../gateway/config/config.js';
import { Secret } from '../../../gateway/config/secret.js';
import { absentServers } from '../../../gateway/preflight/servers.js';
import { systemClock } from '../../../sip/clock.js';
import { silentLog } from '../../../sip/log.js';
import { freePort } from '../../support/free-port.js';
import { testConfig } from '../../support/gateway.js';
import { ScriptedRtpengine } from '../../support/scripted-rtpengine.js';

const absent = async (change: Partial<Config>): Promise<string[]> => {
  const found = await absentServers({ ...testConfig({}), ...change }, systemClock, silentLog);
  return found.map(({ level, path, problem }) => `${level} ${path.join('.')}: ${problem}`);
};

const rtpengines = (addresses: readonly { readonly host: string; readonly port: number }[]) => ({
  media: {
    engine: 'rtpengine' as const,
    instances: addresses.map((address) => ({ address, weight: 1 })),
    browserToBrowser: 'direct' as const,
  },
});

const drachtioAndRedis = (port: number): Partial<Config> => ({
  sip: {
    engine: 'drachtio',
    host: '127.0.0.1',
    port,
    secret: new Secret('cymru'),
    tls: undefined,
    journal: undefined,
  },
  store: new Secret(`redis://:secret@127.0.0.1:${port}`),
});

describe('preflight of other servers', function () {
  this.timeout(10_000);

  it('wants none when all is embedded', async () => {
    assert.deepEqual(await absent({}), []);
  });

  it('warns of each rtpengine that does not answer ping', async () => {
    const alive = await ScriptedRtpengine.start();
    const silent = await ScriptedRtpengine.start();
    silent.script.set('ping', () => undefined);
    const nobody = { host: '127.0.0.1', port: await freePort() };
    const [first, second, ...others] = await absent(rtpengines([alive.address, silent.address, nobody]));
    assert.equal(first, `warning media.rtpengine.1.ng: rtpengine: ${silent.name} does not answer`);
    assert.match(second ?? '', /^warning media\.rtpengine\.2\.ng: rtpengine: .*ECONNREFUSED/);
    assert.deepEqual(others, []);
    await alive.close();
    await silent.close();
  });

  it('warns of a drachtio-server or a Redis that nobody listens for', async () => {
    const port = await freePort();
    const refused = `connect ECONNREFUSED 127.0.0.1:${port}`;
    assert.deepEqual(await absent(drachtioAndRedis(port)), [
      `warning sip.drachtio: drachtio-server: ${refused}`,
      `warning store: Redis: ${refused}`,
    ]);
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    assert.deepEqual(await absent(drachtioAndRedis(port)), []);
    server.close();
  });
});
