import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { parseConfig } from '../../../gateway/config/load.js';
import type { PreflightFinding } from '../../../gateway/preflight/finding.js';
import { checkMedia, checkReceiveBuffer } from '../../../gateway/preflight/media.js';
import { freePort } from '../../support/free-port.js';
import { rightEnvironment, withLine } from '../../unit/config/config-fixtures.js';

const findings = async (relay: string): Promise<string[]> => {
  const config = await parseConfig(withLine(15, `  relay: ${relay}`), '/etc/webtrunk.yaml', rightEnvironment);
  return (await checkMedia(config)).filter(({ fix }) => !fix.startsWith('sysctl')).map(text);
};

const text = ({ level, path, problem }: PreflightFinding): string => `${level} ${path.join('.')}: ${problem}`;

describe('preflight of the relay', () => {
  it('takes half the ports for a call when browsers have a port of their own', async () => {
    assert.deepEqual(await findings('{ address: 127.0.0.1, ports: 33000-33059 }'), [
      'warning media.relay.ports: 60 ports are enough for 15 calls',
    ]);
    const port = await freePort();
    assert.deepEqual(await findings(`{ address: 127.0.0.1, ports: 33000-33059, browser_port: ${port} }`), []);
  });

  it('names the port of the browsers that another program has, or SIP', async () => {
    const other = createSocket('udp4');
    other.bind(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address();
    const found = await findings(`{ address: 127.0.0.1, ports: 33000-33099, browser_port: ${port} }`);
    other.close();
    assert.deepEqual(found, [`problem media.relay.browser_port: udp 127.0.0.1:${port} is in use`]);
    assert.deepEqual(
      await findings('{ address: 127.0.0.1, ports: 33000-33099, browser_port: 5059, processes: 2 }'),
      ['problem media.relay.browser_port: port 5060 is one of sip.embedded.listen'],
    );
  });

  it('warns of an address of another machine, and of a small receive buffer', async () => {
    assert.deepEqual(await findings('{ address: 203.0.113.5, ports: 33000-33099 }'), [
      'warning media.relay.address: 203.0.113.5 is no address of this machine',
    ]);
    assert.deepEqual(checkReceiveBuffer(212_992).map(text), [
      'warning media.relay.browser_port: the system allows a receive buffer of 212992 bytes, too few for hundreds of browsers at one port',
    ]);
    assert.deepEqual([checkReceiveBuffer(1_048_576), checkReceiveBuffer(undefined)], [[], []]);
  });
});
