import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findCollections } from '../../support/docs/collections.js';

const root = fileURLToPath(new URL('../../../../', import.meta.url));

/** `file name` of each that docs/robustness.md lists. */
function listed(): string[] {
  const rows = readFileSync(`${root}/docs/robustness.md`, 'utf8').split('\n');
  return rows.flatMap((row) => {
    const [, file = '', names = '', bound = '', remover = ''] = row.split('|').map((cell) => cell.trim());
    if (!/^`(gateway|sip)\/[\w/.-]+\.ts`$/.test(file)) return [];
    assert.ok(bound !== '' && remover !== '', `${file} has no bound or no remover`);
    return [...names.matchAll(/`([^`]+)`/g)].map(([, name = '']) => `${file.slice(1, -1)} ${name}`);
  });
}

describe('the collections that can grow', () => {
  const found = [
    ...new Set(findCollections(root, ['gateway', 'sip']).map(({ file, name }) => `${file} ${name}`)),
  ];

  it('are found in the sources', () => {
    for (const one of ['gateway/call/call-table.ts #calls', 'gateway/store/redis-store.ts #held'])
      assert.ok(found.includes(one), one);
    assert.ok(found.length > 100, `${found.length}`);
  });

  it('are all listed in docs/robustness.md with a bound and a remover, and no others are', () => {
    assert.deepEqual(listed().sort(), found.sort());
  });
});
