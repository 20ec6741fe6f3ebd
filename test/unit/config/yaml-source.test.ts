import assert from 'node:assert/strict';
import { readYaml } from '../../../gateway/config/yaml-source.js';

function problemsOf(text: string): readonly string[] {
  const read = readYaml(text);
  assert.ok(!('value' in read));
  return read.map(({ line, problem }) => `${line}: ${problem}`);
}

describe('aliases in a configuration', () => {
  it('stand for what an anchor names', () => {
    const read = readYaml('a: &one { x: 1 }\nb: *one\n');
    assert.ok('value' in read);
    assert.deepEqual(read.value, { a: { x: 1 }, b: { x: 1 } });
  });

  it('that stand for nothing are each told with their line', () => {
    assert.deepEqual(problemsOf('a: *x\nb: 1\nc: *600\n'), [
      '1: *x stands for nothing',
      '3: *600 stands for nothing',
    ]);
  });

  it('that stand for what they are a part of are refused', () => {
    assert.deepEqual(problemsOf('a: 1\nb: &x\n  - *x\n'), ['3: *x stands for what it is a part of']);
  });

  it('that would make a small text a huge value are refused', () => {
    const level = (name: string, of: string): string =>
      `${name}: &${name} [${Array(9).fill(`*${of}`).join(', ')}]`;
    const text = ['a: &a [1, 2]', level('b', 'a'), level('c', 'b'), level('d', 'c'), ''].join('\n');
    assert.match(problemsOf(text).join('\n'), /^1: aliases \(\*name\) stand for far too much/);
  });
});
