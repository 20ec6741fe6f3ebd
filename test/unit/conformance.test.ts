import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { differences, unexplained } from '../conformance/differences.js';
import { compare, differencesIn } from '../conformance/expected-transcript.js';
import { scenarios } from '../conformance/scenarios/all.js';

describe('differences between the SIP engines', () => {
  it('all have a name, and every name occurs', () => {
    const found = new Map(scenarios.map(({ name }) => [name, differencesIn(name)]));
    for (const [scenario, names] of found) assert.equal(names.includes(unexplained), false, scenario);
    for (const { name, scenarios: where } of differences)
      for (const scenario of where) assert.ok(found.get(scenario)?.includes(name), `${name} in ${scenario}`);
  });

  it('are all told in docs/drachtio.md, and nothing else is', () => {
    const path = fileURLToPath(new URL('../../../docs/drachtio.md', import.meta.url));
    const rows = readFileSync(path, 'utf8').matchAll(/^\| `([a-z-]+)` /gm);
    assert.deepEqual(
      [...rows].map(([, name]) => name),
      differences.map(({ name }) => name),
    );
  });
});

describe('comparing two transcripts', () => {
  it('keeps what is common and puts what is not side by side', () => {
    assert.deepEqual(compare(['a', 'b', 'd', 'e'], ['a', 'c', 'd', 'e', 'f']), [
      'a',
      { drachtio: ['b'], embedded: ['c'] },
      'd',
      'e',
      { drachtio: [], embedded: ['f'] },
    ]);
  });
});
