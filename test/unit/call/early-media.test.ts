import assert from 'node:assert/strict';
import type { Attempt } from '../../../gateway/call/callee-search.js';
import { EarlyMedia } from '../../../gateway/call/early-media.js';
import { failure, type SipFailure } from '../../../sip/failure.js';
import { FakeCallee, FakeCaller, FakeReoffer } from '../../support/fake-legs.js';

/** Notes what is asked of the engine, and marks each SDP with what was done to it. */
class NotingMedia {
  readonly notes: string[] = [];
  broken: SipFailure | undefined;
  reply: string | undefined;

  offer(from: string, to: string, sdp: string): Promise<string> {
    this.notes.push(`offer ${from} ${to} ${sdp}`);
    return Promise.resolve(`offered(${sdp})`);
  }

  answer(from: string, to: string, sdp: string): Promise<string> {
    this.notes.push(`answer ${from} ${to} ${sdp}`);
    if (this.broken !== undefined) return Promise.reject(this.broken);
    return Promise.resolve(this.reply ?? `answered(${sdp})`);
  }

  refuse(to: string): void {
    this.notes.push(`refuse ${to}`);
  }
}

type EarlyAttempt = Pick<Attempt, 'leg' | 'earlySdp'>;

const attempt = (legId: string): EarlyAttempt => {
  const invitation = { legId, sdp: undefined, from: { uri: '' }, to: { uri: '' }, headers: [] };
  const nothing = (): void => undefined;
  const listener = {
    progress: nothing,
    answered: nothing,
    failed: nothing,
    reoffer: nothing,
    request: nothing,
    ended: nothing,
  };
  const leg = new FakeCallee('trunk', invitation, listener);
  return { leg, earlySdp: undefined };
};

describe('early media of a call', () => {
  let media: NotingMedia;
  let early: EarlyMedia;
  let first: EarlyAttempt;
  let second: EarlyAttempt;
  const caller = new FakeCaller('caller', 'browser');

  beforeEach(() => {
    media = new NotingMedia();
    early = new EarlyMedia(media, caller, 'call offer');
    [first, second] = [attempt('one'), attempt('two')];
  });

  it('is that of the first fork that has any; the SDP of the others is kept for their answer', async () => {
    assert.equal(await early.progress(first, 'a'), 'answered(a)');
    assert.equal(await early.progress(second, 'b'), undefined);
    assert.equal(second.earlySdp, 'b');
    assert.equal(await early.final(second.leg, 'b'), 'answered(b)');
  });

  it('is not translated for a caller that made no offer: the 2xx carries the callee’s', async () => {
    early = new EarlyMedia(media, caller, undefined);
    assert.equal(await early.progress(first, 'a'), undefined);
    assert.equal(await early.final(first.leg, 'c'), 'offered(c)');
  });

  it('takes an offer of the caller and answers it from what the callee has said', async () => {
    await early.progress(first, 'a');
    const update = new FakeReoffer('UPDATE', 'hold');
    assert.equal(await early.reoffer('caller', update), undefined);
    assert.deepEqual(media.notes.slice(1), ['offer caller one hold', 'answer one caller a']);
    assert.deepEqual(update.notes, ['accept answered(a)']);
    assert.equal(await early.final(first.leg, 'a'), 'answered(a)');
    assert.equal(media.notes.length, 3, 'the 2xx changes nothing any more');
  });

  it('owes that offer to the callee until the call is established, once, and to no other fork', async () => {
    await early.progress(first, 'a');
    await early.reoffer('caller', new FakeReoffer('PRACK', 'hold'));
    assert.equal(early.takeOwed('two'), undefined);
    await early.reoffer('caller', new FakeReoffer('PRACK', 'hold'));
    assert.equal(early.takeOwed('one'), 'hold');
    assert.equal(early.takeOwed('one'), undefined);
  });

  it('owes nothing when another fork answers', async () => {
    await early.progress(first, 'a');
    await early.reoffer('caller', new FakeReoffer('UPDATE', 'hold'));
    await early.final(second.leg, 'b');
    assert.equal(early.takeOwed('two'), undefined);
  });

  it('takes an offer of the callee and answers it from what the caller has said', async () => {
    const offer = 'v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111 0 8\r\na=setup:actpass\r\n';
    early = new EarlyMedia(media, caller, offer);
    media.reply = 'm=audio 20000 UDP/TLS/RTP/SAVPF 0\r\n';
    await early.progress(first, 'm=audio 4000 RTP/AVP 0\r\n');
    const update = new FakeReoffer('UPDATE', 'moved');
    assert.equal(await early.reoffer('one', update), undefined);
    const narrowed = offer.replace('111 0 8', '0').replace('actpass', 'active');
    assert.deepEqual(media.notes.slice(1), ['offer one caller moved', `answer caller one ${narrowed}`]);
    assert.equal(early.takeOwed('one'), undefined);
  });

  for (const [who, sdp] of [
    ['caller', undefined],
    ['two', 'offer'],
  ] as const) {
    it(`answers 491 to ${sdp === undefined ? 'an early re-offer without offer' : 'a fork that is not heard'}`, async () => {
      await early.progress(first, 'a');
      const update = new FakeReoffer('UPDATE', sdp);
      assert.equal((await early.reoffer(who, update))?.code, 'dialog.request_pending');
      assert.deepEqual(update.notes, ['reject 491']);
    });
  }

  it('answers 491 before there was any answer', async () => {
    const update = new FakeReoffer('UPDATE', 'offer');
    await early.reoffer('caller', update);
    assert.deepEqual(update.notes, ['reject 491']);
  });

  it('stays as it was when the offer cannot be answered', async () => {
    await early.progress(first, 'a');
    media.broken = failure('media.not_acceptable');
    const update = new FakeReoffer('UPDATE', 'nonsense');
    assert.equal((await early.reoffer('caller', update))?.status, 488);
    assert.deepEqual(update.notes, ['reject 488']);
    assert.equal(media.notes.at(-1), 'refuse one');
    media.broken = undefined;
    assert.equal(await early.final(first.leg, 'a'), 'answered(a)');
    assert.equal(early.takeOwed('one'), undefined);
  });
});
