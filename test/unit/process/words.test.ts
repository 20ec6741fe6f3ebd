import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { loadConfig } from '../../../gateway/config/load.js';
import { Secret } from '../../../gateway/config/secret.js';
import { pageConfigSchema } from '../../../gateway/contract/page-config.js';
import { quickStartBanner } from '../../../gateway/process/banner.js';
import { pageConfigOf } from '../../../gateway/process/page-config-of.js';
import { startFailureText } from '../../../gateway/process/start-failure.js';
import { htdigestLine, readPassword } from '../../../gateway/process/user-hash.js';

describe('quick-start banner', () => {
  it('names the page, the users with their passwords, and the echo number', async () => {
    const config = await loadConfig(undefined, {});
    const banner = quickStartBanner(config, 'http://127.0.0.1:8080', 'http://127.0.0.1:8081');
    assert.match(banner, /^ {2}Softphone {3}http:\/\/127\.0\.0\.1:8080$/m);
    for (const { name, password } of config.domains[0]?.users ?? []) {
      assert.ok(banner.includes(`${name.padEnd(5)}  password  ${password.reveal()}`), name);
    }
    assert.match(banner, /^ {2}Call {8}600 to hear yourself$/m);
    assert.ok(banner.includes('http://127.0.0.1:8081'));
  });
});

describe('page configuration', () => {
  const direct = { engine: 'passthrough', browserToBrowser: 'anchored' } as const;

  it('is what the contract says', () => {
    const page = pageConfigOf({
      media: direct,
      domains: [{ name: 'example.com', users: [], htdigest: undefined }],
      ice: {
        servers: [{ urls: ['turn:t.example.com'], username: 'u', credential: new Secret('p') }],
        filterPrivateCandidates: false,
      },
    });
    assert.deepEqual(pageConfigSchema.parse(page), {
      domain: 'example.com',
      websocketPath: '/ws',
      directMedia: true,
      iceServers: [{ urls: ['turn:t.example.com'], username: 'u', credential: 'p' }],
    });
  });

  it('says when no media goes from browser to browser', async () => {
    const config = await loadConfig(undefined, {});
    const of = (browserToBrowser: 'direct' | 'anchored') =>
      pageConfigOf({ ...config, media: { ...config.media, browserToBrowser } }).directMedia;
    assert.deepEqual([of('direct'), of('anchored')], [true, undefined]);
  });
});

describe('why webtrunk cannot start', () => {
  const failure = (code: string): Error =>
    Object.assign(new Error(`listen ${code}`), { code, address: '127.0.0.1', port: 8080 });

  it('names the port that another program uses', () => {
    assert.match(startFailureText(failure('EADDRINUSE')), /^127\.0\.0\.1:8080 is in use by another program/);
  });

  it('names the port that needs rights', () => {
    assert.match(startFailureText(failure('EACCES')), /^127\.0\.0\.1:8080 may not be listened on/);
  });

  it('passes on what it has no words for', () => {
    assert.equal(startFailureText(new Error('plain')), 'plain');
    assert.equal(startFailureText('text'), 'text');
  });
});

describe('user hash', () => {
  it('gives the line that htdigest writes', () => {
    // printf 'alice:example.com:secret' | md5sum
    assert.equal(
      htdigestLine('alice', 'example.com', 'secret'),
      'alice:example.com:b1726872c344b6dc8365b774f8fd6412',
    );
  });

  it('reads one line and keeps blanks in it', async () => {
    const input = Object.assign(new PassThrough(), { isTTY: false });
    input.end(' se cret \nsecond\n');
    const prompts: string[] = [];
    assert.equal(await readPassword(input, (text) => prompts.push(text)), ' se cret ');
    assert.deepEqual(prompts, []);
  });

  it('gives nothing when nothing was typed', async () => {
    const input = Object.assign(new PassThrough(), { isTTY: false });
    input.end();
    assert.equal(await readPassword(input, () => undefined), undefined);
  });
});
