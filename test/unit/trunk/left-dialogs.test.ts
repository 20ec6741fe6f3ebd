import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LeftDialogs } from '../../../gateway/trunk/left-dialogs.js';
import { failure } from '../../../sip/failure.js';
import type { OpenInvite } from '../../../sip/trunk/srf.js';
import { FakeClock } from '../../support/fake-clock.js';

/** Does what the test says, and notes what was asked of it. */
class FakeStack {
  connected = true;
  readonly asked: string[] = [];
  answer: (dialogId: string) => Promise<{ status: number; reason: string }> = () =>
    Promise.resolve({ status: 200, reason: 'OK' });
  answerInvite: (invite: OpenInvite) => Promise<string> = ({ sentBy }) =>
    Promise.resolve(sentBy === 'us' ? 'CANCEL' : '503');

  endLeftDialog(dialogId: string): Promise<{ status: number; reason: string }> {
    this.asked.push(dialogId);
    return this.answer(dialogId);
  }

  endLeftInvite(invite: OpenInvite): Promise<string> {
    this.asked.push(invite.transactionId);
    return this.answerInvite(invite);
  }
}

describe('what a lost connection leaves in the engine', () => {
  let folder: string;
  let stack: FakeStack;
  let left: LeftDialogs;
  const told: string[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'webtrunk-left-'));
    stack = new FakeStack();
    told.length = 0;
    const events = {
      leftDialog: ({ dialogId, outcome, detail }: { dialogId: string; outcome: string; detail: string }) =>
        told.push(`${dialogId} ${outcome} ${detail}`),
      dialogJournalFailed: ({ cause }: { cause: unknown }) => assert.fail(String(cause)),
    };
    const made = LeftDialogs.inFile(join(folder, 'dialogs'), events, new FakeClock());
    assert.ok(made !== undefined);
    left = made;
    await left.takeOver(stack);
  });

  afterEach(async () => {
    await left.close();
    await rm(folder, { recursive: true });
  });

  const leave = (...dialogIds: readonly string[]): void => {
    for (const id of dialogIds) {
      left.notes.began(id);
      left.notes.left(id);
    }
  };

  it('is ended, whether its INVITE was answered or not', async () => {
    leave('d1');
    left.notes.invited('d2', { transactionId: 't2', sentBy: 'us' });
    left.notes.left('d2');
    left.notes.invited('d3', { transactionId: 't3', sentBy: 'peer' });
    left.notes.left('d3');
    left.notes.began('up');
    await left.endAll(stack);
    assert.deepEqual(stack.asked, ['d1', 't2', 't3']);
    assert.deepEqual(told.sort(), ['d1 ended BYE: 200 OK', 'd2 ended CANCEL', 'd3 ended 503']);
    assert.equal(left.size, 1);
  });

  it('gets a BYE when its INVITE was answered after all', async () => {
    left.notes.invited('d1', { transactionId: 't1', sentBy: 'us' });
    left.notes.left('d1');
    stack.answerInvite = () => Promise.reject(failure('dialog.unknown', { detail: 'unknown transaction' }));
    await left.endAll(stack);
    assert.deepEqual(stack.asked, ['t1', 'd1']);
    assert.deepEqual(told, ['d1 ended BYE: 200 OK']);
  });

  it('is forgotten when nobody knows it, or nothing can be done', async () => {
    leave('d1', 'd2', 'd3');
    stack.answer = (id) =>
      id === 'd1'
        ? Promise.resolve({ status: 481, reason: 'Gone' })
        : Promise.reject(failure(id === 'd2' ? 'dialog.unknown' : 'trunk.timeout'));
    await left.endAll(stack);
    assert.deepEqual(
      told.map((line) => line.split(' ').slice(0, 2).join(' ')),
      ['d1 unknown', 'd2 unknown', 'd3 failed'],
    );
    assert.equal(left.size, 0);
  });

  it('waits for the next time when the engine goes away meanwhile', async () => {
    leave('d1', 'd2');
    stack.answer = () => Promise.reject(failure('trunk.engine_away'));
    await left.endAll(stack);
    assert.deepEqual([told, left.size], [[], 2]);
    stack.connected = false;
    await left.endAll(stack);
    assert.equal(stack.asked.length, 2);
    stack.connected = true;
    stack.answer = () => Promise.resolve({ status: 200, reason: 'OK' });
    await left.endAll(stack);
    assert.deepEqual([told.length, left.size], [2, 0]);
  });

  it('is ended a few at a time', async () => {
    leave(...Array.from({ length: 50 }, (_, index) => `d${index}`));
    const waiting: (() => void)[] = [];
    stack.answer = () => new Promise((resolve) => waiting.push(() => resolve({ status: 200, reason: 'OK' })));
    const ended = left.endAll(stack);
    assert.equal(stack.asked.length, 20);
    while (left.size > 0) {
      for (const act of waiting.splice(0)) act();
      await new Promise((resolve) => setImmediate(resolve));
      assert.ok(waiting.length <= 20);
    }
    await ended;
    assert.equal(told.length, 50);
  });
});
