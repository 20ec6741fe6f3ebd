import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { reduceLine, type LineEvent, type LineState } from '#web/phone/state/line-state.js';
import { lineAdvice, lineAnnouncement, lineWords } from '#web/phone/words/line-words.js';

const signedOut: LineState = { phase: 'signed-out', user: 'alice' };
const follow = (events: readonly LineEvent[], from: LineState = signedOut): LineState =>
  events.reduce(reduceLine, from);
const signIn: LineEvent = { type: 'line/sign-in', user: 'alice' };
const waiting: LineEvent = { type: 'line/waiting', cause: 'lost', retryAtMs: 10_000 };
const refused: LineEvent = {
  type: 'line/refused',
  refusal: { title: 'Wrong user name or password', detail: '403' },
};

describe('the line to the server', () => {
  it('goes from signing in to ready', () => {
    const states = [signIn, { type: 'line/connected' }, { type: 'line/registered' }] as const;
    assert.deepEqual(
      states.map((_, index) => follow(states.slice(0, index + 1)).phase),
      ['connecting', 'registering', 'ready'],
    );
  });

  it('waits after a loss and comes back', () => {
    const ready: LineState = { phase: 'ready', user: 'alice' };
    assert.equal(follow([waiting], ready).phase, 'waiting');
    const again = [
      waiting,
      { type: 'line/connecting' },
      { type: 'line/connected' },
      { type: 'line/registered' },
    ] as const;
    assert.deepEqual(follow(again, ready), ready);
  });

  it('asks for the password again when it is refused, and says why', () => {
    const state = follow([signIn, { type: 'line/connected' }, refused]);
    assert.equal(state.phase, 'signed-out');
    assert.equal(lineWords(state, 0), 'Wrong user name or password');
    assert.equal(lineWords(follow([signIn], state), 0), 'Connecting…');
  });

  it('drops late news from a line that was given up', () => {
    for (const event of [{ type: 'line/registered' }, waiting, refused, { type: 'line/replaced' }] as const) {
      assert.equal(reduceLine(signedOut, event), signedOut);
    }
  });

  it('stays put when another window took over, until asked', () => {
    const replaced = follow([{ type: 'line/replaced' }], { phase: 'ready', user: 'alice' });
    assert.equal(reduceLine(replaced, waiting), replaced);
    assert.equal(reduceLine(replaced, { type: 'line/connecting' }).phase, 'connecting');
  });
});

describe('the words for the line', () => {
  const wait: LineState = { phase: 'waiting', user: 'alice', cause: 'lost', retryAtMs: 10_000 };

  it('names the user when connected', () => {
    assert.equal(lineWords({ phase: 'ready', user: 'alice' }, 0), 'Connected as alice');
  });

  it('counts the seconds to the next attempt', () => {
    assert.equal(lineWords(wait, 6_000), 'Connection lost, trying again in 4 s…');
    assert.equal(lineWords(wait, 9_999), 'Connection lost, trying again in 1 s…');
    assert.equal(lineWords(wait, 11_000), 'Connection lost, trying again…');
    assert.equal(lineWords({ ...wait, cause: 'offline' }, 9_000), 'You are offline, trying again in 1 s…');
  });

  it('says what to do about too many devices, and that it tries again', () => {
    const crowded: LineState = { ...wait, cause: 'devices' };
    assert.equal(lineWords(crowded, 9_000), 'Too many devices are signed in, trying again in 1 s…');
    assert.match(lineAdvice(crowded), /^Sign out/);
    assert.equal(lineAdvice(wait), '');
  });

  it('does not count aloud for screen readers', () => {
    assert.equal(lineAnnouncement(wait), 'Connection lost, trying again');
  });
});
