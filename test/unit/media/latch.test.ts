import assert from 'node:assert/strict';
import { Latch } from '../../../sip/media/relay/latch.js';
import { FakeClock } from '../../support/fake-clock.js';

const windowMs = 5_000;

describe('latch of a plain media port', () => {
  let clock: FakeClock;
  let latch: Latch;

  beforeEach(() => {
    clock = new FakeClock();
    latch = new Latch(windowMs, clock);
    latch.aim('198.51.100.7', 4_000, 4);
  });

  const target = (): string => `${latch.host}:${latch.port}`;

  it('admits nobody before there is a description', () => {
    assert.equal(new Latch(windowMs, clock).admits('198.51.100.7', 4_000), false);
  });

  it('sends to the signalled port until something arrives', () => {
    assert.equal(target(), '198.51.100.7:4000');
  });

  it('never admits another address', () => {
    assert.equal(latch.admits('198.51.100.8', 4_000), false);
    assert.equal(target(), '198.51.100.7:4000');
  });

  it('learns the first source port of the signalled address and is then locked', () => {
    assert.equal(latch.admits('198.51.100.7', 5_555), true);
    assert.equal(target(), '198.51.100.7:5555');
    assert.equal(latch.admits('198.51.100.7', 6_666), false);
    assert.equal(latch.admits('198.51.100.7', 4_000), false);
    assert.equal(latch.admits('198.51.100.7', 5_555), true);
  });

  it('is locked by the signalled port as well', () => {
    assert.equal(latch.admits('198.51.100.7', 4_000), true);
    assert.equal(latch.admits('198.51.100.7', 5_555), false);
  });

  it('learns no other port after the window, but admits the signalled one', () => {
    clock.advance(windowMs + 1);
    assert.equal(latch.admits('198.51.100.7', 5_555), false);
    assert.equal(latch.admits('198.51.100.7', 4_000), true);
  });

  it('opens again with the next description and keeps what it learnt when that names the same target', () => {
    latch.admits('198.51.100.7', 5_555);
    clock.advance(60_000);
    latch.aim('198.51.100.7', 4_000, 4);
    assert.equal(target(), '198.51.100.7:5555');
    assert.equal(latch.admits('198.51.100.7', 6_666), true);
    assert.equal(target(), '198.51.100.7:6666');
  });

  it('forgets what it learnt when the next description names another target', () => {
    latch.admits('198.51.100.7', 5_555);
    latch.aim('198.51.100.9', 4_000, 4);
    assert.equal(target(), '198.51.100.9:4000');
    assert.equal(latch.admits('198.51.100.7', 5_555), false);
    assert.equal(latch.admits('198.51.100.9', 4_000), true);
  });

  it('has another window when the description is given again before anything was heard', () => {
    clock.advance(windowMs + 1);
    latch.reopen();
    assert.equal(latch.admits('198.51.100.7', 5_555), true);
    latch.reopen();
    assert.equal(latch.admits('198.51.100.7', 6_666), false);
  });

  describe('while the end holds with an unspecified address', () => {
    it('sends nowhere, and still admits the source that was heard (RFC 3264 §8.4)', () => {
      latch.admits('198.51.100.7', 5_555);
      latch.aim('0.0.0.0', 4_000, 4);
      assert.equal(latch.host, undefined);
      assert.equal(latch.admits('198.51.100.7', 5_555), true);
      assert.equal(latch.host, undefined);
    });

    it('stays locked to that source', () => {
      latch.admits('198.51.100.7', 5_555);
      latch.aim('0.0.0.0', 4_000, 4);
      assert.equal(latch.admits('198.51.100.7', 6_666), false);
      assert.equal(latch.admits('198.51.100.8', 5_555), false);
    });

    it('learns the port of an end that has sent nothing before', () => {
      clock.advance(60_000);
      latch.aim('::', 4_000, 6);
      assert.equal(latch.admits('198.51.100.7', 5_555), true);
    });

    it('keeps the learnt port for the time after', () => {
      latch.admits('198.51.100.7', 5_555);
      latch.aim('0.0.0.0', 9, 4);
      latch.aim('198.51.100.7', 4_000, 4);
      assert.equal(target(), '198.51.100.7:5555');
    });

    it('admits nobody when no address was ever given', () => {
      const fresh = new Latch(windowMs, clock);
      fresh.aim('0.0.0.0', 4_000, 4);
      assert.equal(fresh.admits('198.51.100.7', 4_000), false);
      assert.equal(fresh.admits('0.0.0.0', 4_000), false);
    });
  });

  it('sends nowhere and admits nobody when the port is none', () => {
    latch.aim('198.51.100.7', 65_536, 4);
    assert.equal(latch.host, undefined);
    assert.equal(latch.admits('198.51.100.7', 4_000), false);
  });

  it('knows an IPv6 address in all its spellings', () => {
    latch.aim('2001:DB8:0:0:0:0:0:1', 4_000, 6);
    assert.equal(latch.admits('2001:db8::1', 4_000), true);
  });
});
