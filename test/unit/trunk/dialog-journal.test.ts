import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DialogJournal } from '../../../gateway/trunk/dialog-journal.js';
import { FakeClock } from '../../support/fake-clock.js';

describe('the journal of dialogs', () => {
  let folder: string;
  let file: string;
  const failures: unknown[] = [];
  const open: DialogJournal[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'webtrunk-journal-'));
    file = join(folder, 'dialogs.ndjson');
    failures.length = 0;
  });

  afterEach(async () => {
    for (const journal of open.splice(0)) await journal.close();
    await rm(folder, { recursive: true });
  });

  const openJournal = async (path = file): Promise<DialogJournal> => {
    const journal = new DialogJournal(path, (cause) => failures.push(cause), new FakeClock());
    open.push(journal);
    await journal.open();
    return journal;
  };

  const idsIn = (journal: DialogJournal): string[] => journal.leftBehind.map(({ dialogId }) => dialogId);

  const lines = async (): Promise<string[]> => (await readFile(file, 'utf8')).split('\n').slice(0, -1);

  it('tells the next process which dialogs were up, and no others', async () => {
    const first = await openJournal();
    for (const id of ['a', 'b', 'c']) first.began(id);
    first.ended('b');
    first.left('c');
    await first.close();
    const second = await openJournal();
    assert.deepEqual(idsIn(second), ['a', 'c']);
    assert.equal((await lines()).length, 2);
    second.ended('a');
    second.ended('c');
    await second.close();
    assert.deepEqual(idsIn(await openJournal()), []);
    assert.deepEqual(await lines(), []);
  });

  it('tells which INVITEs had no answer, and forgets that they were INVITEs when they have', async () => {
    const first = await openJournal();
    first.invited('a', { transactionId: 't1', sentBy: 'us' });
    first.invited('a', { transactionId: 't2', sentBy: 'us' });
    first.invited('b', { transactionId: 't3', sentBy: 'peer' });
    first.invited('c', { transactionId: 't4', sentBy: 'us' });
    first.began('c');
    first.invited('d', { transactionId: 't5', sentBy: 'us' });
    first.ended('d');
    await first.close();
    const left = [
      { dialogId: 'a', invite: { transactionId: 't2', sentBy: 'us' } },
      { dialogId: 'b', invite: { transactionId: 't3', sentBy: 'peer' } },
      { dialogId: 'c', invite: undefined },
    ];
    const second = await openJournal();
    assert.deepEqual(second.leftBehind, left);
    await second.close();
    assert.deepEqual((await openJournal()).leftBehind, left);
  });

  it('has what was noted before it was opened, and does not take that for left', async () => {
    await writeFile(file, '{"began":"old","at":"2026-01-01T00:00:00.000Z"}\n');
    const journal = new DialogJournal(file, (cause) => failures.push(cause), new FakeClock());
    open.push(journal);
    journal.began('new');
    await journal.open();
    assert.deepEqual(idsIn(journal), ['old']);
    assert.equal(journal.size, 2);
    assert.match((await lines()).join(), /"new".*"old".*2026-01-01/);
  });

  it('takes a dialog for left when the connection to the engine was lost', async () => {
    const journal = await openJournal();
    journal.began('a');
    journal.began('b');
    journal.left('b');
    journal.left('unknown');
    assert.deepEqual(idsIn(journal), ['b']);
  });

  it('passes over a torn last line and whatever else is no line of its own', async () => {
    await writeFile(
      file,
      'nonsense\n[]\n{"began":7}\n{"began":"x|\\r\\n"}\n{"began":"a"}\n{"began":"b"}\n{"ended":"b"}\n{"beg',
    );
    const journal = await openJournal();
    assert.deepEqual(idsIn(journal), ['a']);
    assert.deepEqual(failures, []);
  });

  it('does not grow with the number of calls', async () => {
    const journal = await openJournal();
    journal.began('long');
    for (let call = 0; call < 6000; call += 1) {
      journal.began(`short-${call}`);
      journal.ended(`short-${call}`);
      if (call % 100 === 0) await journal.written();
    }
    await journal.close();
    assert.ok((await lines()).length < 10_010);
    assert.deepEqual(idsIn(await openJournal()), ['long']);
  });

  it('keeps only the dialogs of the moment when it is told to', async () => {
    const journal = await openJournal();
    for (const id of ['a', 'b']) journal.began(id);
    journal.ended('a');
    journal.compact();
    journal.ended('b');
    journal.began('c');
    await journal.close();
    assert.equal((await lines()).length, 1);
    assert.deepEqual(idsIn(await openJournal()), ['c']);
  });

  it('tells once that it cannot be written, and writes everything when it can be', async () => {
    const late = join(folder, 'late');
    const journal = await openJournal(join(late, 'dialogs.ndjson'));
    journal.began('a');
    await journal.written();
    journal.began('b');
    await journal.written();
    assert.equal(failures.length, 1);
    await mkdir(late);
    journal.began('c');
    await journal.close();
    file = join(late, 'dialogs.ndjson');
    assert.deepEqual(idsIn(await openJournal()), ['a', 'b', 'c']);
    assert.equal(failures.length, 1);
  });
});
