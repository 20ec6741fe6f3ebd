import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { systemClock } from '../../../sip/clock.js';
import { RotatingFile } from '../../../gateway/cdr/rotating-file.js';

const program = fileURLToPath(new URL('../../support/lines-on-full-disk.js', import.meta.url));

interface Told {
  readonly failed: readonly string[];
  readonly lost: readonly string[];
  readonly notQueued: readonly number[];
  readonly queued: readonly string[];
}

/** Throws when one of the lines is not whole. */
const callIdsOf = (lines: readonly string[]): string[] =>
  lines.map((line) => (JSON.parse(line) as { readonly callId: string }).callId);

const ids = (count: number): string[] => Array.from({ length: count }, (_, index) => `c_${index}`);

describe('call data records, on a disk that takes half a line', function () {
  this.timeout(20_000);
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'webtrunk-cdr-'));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  const linesIn = async (name: string): Promise<string[]> => {
    const text = await readFile(join(folder, name), 'utf8');
    assert.ok(text.endsWith('\n'));
    return text.trimEnd().split('\n');
  };

  const fileOf = (name: string): RotatingFile =>
    new RotatingFile({
      path: join(folder, name),
      maxBytes: 0,
      keep: 1,
      clock: systemClock,
      failed: (cause) => assert.fail(String(cause)),
      lost: (line) => assert.fail(line),
    });

  it('are all in the file, whole and once, when it takes more again; the queue lacks those that it refused', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [program, folder], { timeout: 15_000 });
    const told = JSON.parse(stdout) as Told;
    assert.match(told.failed.join(), /^Error: EFBIG/);
    assert.deepEqual(told.lost, []);
    assert.deepEqual(callIdsOf(await linesIn('file')), ids(11));
    assert.deepEqual(told.notQueued, [3, 4, 5, 6, 7, 8, 9]);
    assert.deepEqual(callIdsOf(told.queued), ['c_0', 'c_1', 'c_2', 'c_10']);
    assert.deepEqual(callIdsOf(await linesIn('queue')), ['c_0', 'c_1', 'c_2', 'c_10']);
  });

  it('begin a line of their own after one that a crash has cut short', async () => {
    await writeFile(join(folder, 'file'), '{"callId":"c_0"}\n{"callI');
    const file = fileOf('file');
    file.write('{"callId":"c_1"}');
    await file.close();
    assert.deepEqual(await linesIn('file'), ['{"callId":"c_0"}', '{"callI', '{"callId":"c_1"}']);
  });
});
