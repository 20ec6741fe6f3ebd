import assert from 'node:assert/strict';
import { startEdgeFixture, type EdgeFixture } from '../../support/edge-fixture.js';

/** A quarter of them at once. */
const httpRequestsPerMinute = 20;
const atOnce = 5;

describe('HTTP requests of one address', () => {
  let fixture: EdgeFixture;

  afterEach(async () => {
    await fixture.close();
    assert.equal(fixture.sizes()['requestRates'], 0);
  });

  const open = async (limits: { readonly httpRequestsPerMinute?: number }): Promise<URL> => {
    fixture = await startEdgeFixture({
      limits,
      proxies: { addresses: ['127.0.0.1'], header: 'x-forwarded-for' },
    });
    return new URL('/api/ice-servers', fixture.url.replace('ws:', 'http:'));
  };

  const ask = async (url: URL, address: string): Promise<Response> => {
    const answer = await fetch(url, { headers: { 'X-Forwarded-For': address } });
    await answer.arrayBuffer();
    return answer;
  };

  it('get 429 with Retry-After beyond the limit, and those of another address do not', async () => {
    const url = await open({ httpRequestsPerMinute });
    for (let count = 0; count < atOnce; count += 1) assert.equal((await ask(url, '192.0.2.1')).status, 200);
    for (let count = 0; count < 3; count += 1) {
      const answer = await ask(url, '192.0.2.1');
      assert.equal(answer.status, 429);
      assert.equal(answer.headers.get('retry-after'), '3');
    }
    assert.equal((await ask(url, '192.0.2.2')).status, 200);
    const refused = fixture.events.of('pageRefused').map(({ cause, path }) => ({ cause, path }));
    const one = { cause: 'rate', path: '/api/ice-servers' };
    assert.deepEqual(refused, [one, one, one]);
  });

  it('may be sent again once the limit is raised', async () => {
    const url = await open({ httpRequestsPerMinute: 4 });
    assert.deepEqual(
      [(await ask(url, '192.0.2.1')).status, (await ask(url, '192.0.2.1')).status],
      [200, 429],
    );
    fixture.edge.renewLimits({ ...fixture.limits, httpRequestsPerMinute });
    assert.equal((await ask(url, '192.0.2.1')).status, 200);
  });

  it('do not count against the WebSockets of that address', async () => {
    const url = await open({ httpRequestsPerMinute: 4 });
    await ask(url, '127.0.0.1');
    assert.equal((await ask(url, '127.0.0.1')).status, 429);
    const client = await fixture.connect();
    await client.close();
  });
});
