import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import {
  currentCall,
  incomingCall,
  newCall,
  noCalls,
  reduceCalls,
  type CallEvent,
  type CallsState,
} from '#web/phone/state/call-state.js';
import { callWords, duration } from '#web/phone/words/call-words.js';

const party = { name: 'Bob', address: '' };
const added = (id: string, phase: 'calling' | 'incoming'): CallEvent => ({
  type: 'call/added',
  call: newCall(id, phase, party, 0),
});
const follow = (...events: CallEvent[]): CallsState => events.reduce(reduceCalls, noCalls);
const words = (...events: CallEvent[]): string =>
  callWords(follow(...events).list[0] ?? newCall('', 'calling', party, 0));
const established: CallEvent = { type: 'call/established', id: 'a', atMs: 5 };

describe('the calls of the page', () => {
  it('follows a call of ours from dialling to speaking', () => {
    const ringing: CallEvent = { type: 'call/progress', id: 'a', earlyMedia: false };
    assert.equal(words(added('a', 'calling')), 'Calling…');
    assert.equal(words(added('a', 'calling'), ringing), 'Ringing…');
    assert.equal(words(added('a', 'calling'), ringing, established), 'Connecting the sound…');
    const on: CallEvent = { type: 'call/sound', id: 'a', sound: 'on' };
    assert.equal(words(added('a', 'calling'), established, on), 'In call');
  });

  it('follows a call to us from ringing to speaking', () => {
    assert.equal(words(added('a', 'incoming')), 'Incoming call');
    assert.equal(words(added('a', 'incoming'), { type: 'call/answering', id: 'a' }), 'Answering…');
  });

  it('takes no step that the table does not have', () => {
    const talking = follow(added('a', 'calling'), established);
    for (const event of [
      { type: 'call/progress', id: 'a', earlyMedia: true },
      { type: 'call/answering', id: 'a' },
      { type: 'call/established', id: 'a', atMs: 99 },
      { type: 'call/progress', id: 'unknown', earlyMedia: true },
    ] as const) {
      assert.equal(reduceCalls(talking, event), talking);
    }
  });

  it('keeps early media once it was heard, so that no ringing tone is mixed into it', () => {
    const state = follow(
      added('a', 'calling'),
      { type: 'call/progress', id: 'a', earlyMedia: true },
      { type: 'call/progress', id: 'a', earlyMedia: false },
    );
    assert.equal(state.list[0]?.earlyMedia, true);
  });

  it('shows how a call ended until the next one begins', () => {
    const notice = { tone: 'problem', title: 'Busy', detail: '486' } as const;
    const ended = follow(added('a', 'calling'), { type: 'call/ended', id: 'a', notice });
    assert.deepEqual(ended, { list: [], notice });
    assert.equal(reduceCalls(ended, added('b', 'calling')).notice, undefined);
  });

  it('gives the microphone to the call that is not on hold', () => {
    const state = follow(
      added('a', 'calling'),
      established,
      { type: 'call/hold', id: 'a', hold: 'held' },
      added('b', 'incoming'),
    );
    assert.equal(currentCall(state)?.id, 'a');
    assert.equal(incomingCall(state)?.id, 'b');
    assert.equal(currentCall(reduceCalls(state, { type: 'call/answering', id: 'b' }))?.id, 'b');
  });

  it('says who put whom on hold, and when the sound is gone', () => {
    const talking = [
      added('a', 'calling'),
      established,
      { type: 'call/sound', id: 'a', sound: 'on' },
    ] as const;
    assert.equal(words(...talking, { type: 'call/hold', id: 'a', hold: 'held' }), 'On hold');
    assert.equal(words(...talking, { type: 'call/muted', id: 'a', muted: true }), 'In call, muted');
    const byOther: CallEvent = { type: 'call/held-by-other', id: 'a', held: true };
    assert.equal(words(...talking, byOther), 'The other side put you on hold');
    assert.match(words(...talking, { type: 'call/sound', id: 'a', sound: 'lost' }), /^No sound/);
  });
});

describe('the duration of a call', () => {
  it('reads as on a clock', () => {
    assert.deepEqual([0, 7_900, 61_000, 3_723_000, -5].map(duration), [
      '0:00',
      '0:07',
      '1:01',
      '1:02:03',
      '0:00',
    ]);
  });
});
