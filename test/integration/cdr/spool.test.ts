import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, rmdir, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Spool } from '../../../gateway/cdr/spool.js';

const maxBytes = 1024 * 1024;

describe('the queue of a webhook', () => {
  let folder: string;
  let opened: Spool[];

  /** A second one of the same file is what a process finds after a crash. */
  const open = async (): Promise<Spool> => {
    const spool = await Spool.open(join(folder, 'queue'), maxBytes);
    opened.push(spool);
    return spool;
  };

  const textsOf = async (spool: Spool): Promise<string[]> => (await spool.peek(100)).map(({ text }) => text);

  /** Deals with the oldest line. */
  const finishOne = async (spool: Spool): Promise<void> => {
    const [line] = await spool.peek(1);
    assert.ok(line);
    await spool.done(line.endsAt, 1);
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'webtrunk-spool-'));
    opened = [];
  });

  afterEach(async () => {
    for (const spool of opened) await spool.close();
    await rm(folder, { recursive: true });
  });

  it('leaves out no line after a crash, when the disk had not taken how far it was', async () => {
    const spool = await open();
    for (const line of ['first', 'second']) await spool.add(line);
    await finishOne(spool);
    await mkdir(join(folder, 'queue.done.new'));
    await assert.rejects(finishOne(spool), { code: 'EISDIR' });
    assert.equal(spool.waiting, 0);
    await rmdir(join(folder, 'queue.done.new'));
    await spool.add('a third line, longer than the first');
    const after = await open();
    assert.deepEqual(await textsOf(after), ['second', 'a third line, longer than the first']);
    assert.equal(after.waiting, 2);
    await finishOne(spool);
    assert.deepEqual(await textsOf(await open()), []);
  });

  it('goes on after somebody has emptied its file', async () => {
    const spool = await open();
    for (const line of ['first', 'second', 'third']) await spool.add(line);
    await finishOne(spool);
    await truncate(join(folder, 'queue'), 0);
    assert.deepEqual(await textsOf(spool), []);
    assert.equal(spool.waiting, 0);
    await spool.add('fourth');
    assert.deepEqual(await textsOf(spool), ['fourth']);
    await finishOne(spool);
    assert.equal(spool.waiting, 0);
  });
});
