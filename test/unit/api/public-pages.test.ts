import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPublicPages, type PublicPages } from '../../../gateway/api/public-pages.js';

const config = { domain: 'localhost', websocketPath: '/ws', iceServers: [] };

describe('public pages', () => {
  let folder: string;
  let pages: PublicPages;
  const server = createServer((request, response) => pages.handler(request, response));
  let base: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'webtrunk-pages-'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  after(async () => {
    await pages.close();
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  });

  it('says plainly that the pages were not built', async () => {
    pages = await createPublicPages({ folder, config });
    assert.equal(pages.built, false);
    const answer = await fetch(`${base}/`);
    assert.equal(answer.status, 503);
    assert.match(await answer.text(), /not built.*npm run build/);
    await pages.close();
  });

  describe('once they are built', () => {
    before(async () => {
      await mkdir(join(folder, 'phone'));
      await mkdir(join(folder, 'assets'));
      await writeFile(join(folder, 'phone', 'index.html'), '<!doctype html><title>phone</title>');
      await writeFile(join(folder, 'assets', 'phone-1234.js'), 'export {};');
      await writeFile(join(folder, 'secret.txt'), 'not to be seen');
      pages = await createPublicPages({ folder, config });
    });

    it('serves the softphone at / with a strict policy', async () => {
      const answer = await fetch(`${base}/`);
      assert.equal(answer.status, 200);
      assert.match(answer.headers.get('content-type') ?? '', /^text\/html/);
      assert.match(await answer.text(), /<title>phone/);
      assert.equal(answer.headers.get('cache-control'), 'no-cache');
      const policy = answer.headers.get('content-security-policy') ?? '';
      assert.match(policy, /default-src 'none'; script-src 'self';/);
      assert.equal(policy.includes('unsafe'), false);
      assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
      assert.equal(answer.headers.get('referrer-policy'), 'no-referrer');
      assert.match(answer.headers.get('permissions-policy') ?? '', /microphone=\(self\)/);
    });

    it('lets scripts, whose names change with their content, be kept for good', async () => {
      const answer = await fetch(`${base}/assets/phone-1234.js`);
      assert.equal(await answer.text(), 'export {};');
      assert.equal(answer.headers.get('cache-control'), 'public, max-age=31536000, immutable');
      assert.match(answer.headers.get('content-type') ?? '', /javascript/);
    });

    it('tells the page its configuration', async () => {
      const answer = await fetch(`${base}/config.json`);
      assert.deepEqual(await answer.json(), config);
      assert.equal(answer.headers.get('cache-control'), 'no-store');
    });

    it('asks for an upgrade where SIP over WebSocket is spoken', async () => {
      const answer = await fetch(`${base}/ws`);
      assert.equal(answer.status, 426);
      assert.equal(answer.headers.get('upgrade'), 'websocket');
    });

    for (const path of [
      '/secret.txt',
      '/assets/../secret.txt',
      '/assets/%2e%2e/secret.txt',
      '/assets/..%2fsecret.txt',
      '/phone/index.html',
      '/%',
      '/assets/',
    ]) {
      it(`gives nothing at ${path}`, async () => {
        const answer = await fetch(`${base}${path}`);
        assert.ok(
          answer.status === 404 || answer.status === 403 || answer.status === 400,
          String(answer.status),
        );
        assert.equal((await answer.text()).includes('not to be seen'), false);
        assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
      });
    }
  });
});
