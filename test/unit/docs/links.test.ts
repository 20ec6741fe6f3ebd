import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const documents = [
  'README.md',
  'CHANGELOG.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).map((name) => `docs/${name}`),
].filter((name) => name.endsWith('.md'));

/** Names of files and folders of the project in backquotes: `sip/leg.ts`, `gateway/auth/`. */
const filePattern = /`((?:sip|gateway|web|test|docs)\/[A-Za-z0-9_./-]+)`/g;
const linkPattern = /\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g;

describe('documents', () => {
  for (const document of documents) {
    const text = readFileSync(join(root, document), 'utf8');

    it(`${document} names only files that exist`, () => {
      for (const [, name = ''] of text.matchAll(filePattern)) assert.ok(existsSync(join(root, name)), name);
    });

    it(`${document} links only to documents that exist`, () => {
      for (const [, link = ''] of text.matchAll(linkPattern)) {
        assert.ok(existsSync(join(root, dirname(document), link)), link);
      }
    });
  }
});
