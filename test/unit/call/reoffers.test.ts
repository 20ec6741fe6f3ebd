import assert from 'node:assert/strict';
import { failure } from '../../../sip/failure.js';
import { audioSdp, established, type Scene, toTrunk } from '../../support/call-scene.js';
import { FakeReoffer, settle } from '../../support/fake-legs.js';

const pending = failure('dialog.request_pending', { status: 491 });

/** What the callee was offered by re-INVITE. */
const offersTo = (scene: Scene): readonly string[] =>
  scene
    .callee()
    .notes.filter((note) => note.startsWith('reoffer '))
    .map((note) => note.slice('reoffer '.length));

describe('re-offers of a call', () => {
  it('carries hold and resume across and notes who holds', async () => {
    const scene = await established();
    const hold = new FakeReoffer('INVITE', audioSdp('sendonly'));
    scene.caller.listener?.reoffer(hold);
    await settle();
    assert.deepEqual(hold.notes, ['accept anchored-answer(v=0 reanswer)']);
    assert.equal(scene.callee().notes.at(-1), 'ack none');
    const resume = new FakeReoffer('INVITE', audioSdp('sendrecv'));
    scene.caller.listener?.reoffer(resume);
    await settle();
    assert.deepEqual(scene.events.slice(-2), ['held by caller', 'resumed by caller']);
  });

  it('answers 491 to a re-offer while another one is on its way', async () => {
    const scene = await established();
    let answer = (): void => undefined;
    scene.callee().reoffer = () =>
      new Promise((resolve) => {
        answer = () => resolve({ sdp: 'v=0 reanswer', ack: () => undefined });
      });
    const first = new FakeReoffer('INVITE', 'v=0 a');
    const second = new FakeReoffer('INVITE', 'v=0 b');
    scene.caller.listener?.reoffer(first);
    await settle();
    scene.callee().listener.reoffer(second);
    await settle();
    assert.deepEqual(second.notes, ['reject 491']);
    answer();
    await settle();
    assert.deepEqual(first.notes, ['accept anchored-answer(v=0 reanswer)']);
  });

  it('lets a re-offer wait that overtakes the ACK of the one before', async () => {
    const scene = await established();
    const first = new FakeReoffer('INVITE', 'v=0 a');
    let acknowledge = (): void => undefined;
    first.accept = () => new Promise((resolve) => (acknowledge = () => resolve(undefined)));
    scene.caller.listener?.reoffer(first);
    await settle();
    const second = new FakeReoffer('INVITE', 'v=0 b');
    scene.caller.listener?.reoffer(second);
    await settle();
    assert.deepEqual(second.notes, []);
    acknowledge();
    await settle();
    assert.deepEqual(second.notes, ['accept anchored-answer(v=0 reanswer)']);
  });

  it('answers 491 to a re-offer before the call is established', async () => {
    const scene = toTrunk();
    await scene.start();
    const early = new FakeReoffer('UPDATE', 'v=0 a');
    scene.callee().listener.reoffer(early);
    await settle();
    assert.deepEqual(early.notes, ['reject 491']);
  });

  /** A re-offer of the caller that comes before its ACK. */
  async function overtaken(): Promise<{ scene: Scene; hasty: FakeReoffer }> {
    const scene = toTrunk();
    await scene.start();
    scene.callee().answer();
    await settle();
    const hasty = new FakeReoffer('INVITE', 'v=0 a');
    scene.caller.listener?.reoffer(hasty);
    await settle();
    return { scene, hasty };
  }

  it('keeps a re-offer that overtakes the ACK until the call is established', async () => {
    const { scene, hasty } = await overtaken();
    assert.deepEqual(hasty.notes, []);
    scene.caller.acknowledge();
    await settle();
    assert.deepEqual(hasty.notes, ['accept anchored-answer(v=0 reanswer)']);
  });

  it('refuses a re-offer that was kept when the call ends instead', async () => {
    const { scene, hasty } = await overtaken();
    scene.callee().leave({ cause: 'remote' });
    await settle();
    assert.deepEqual(hasty.notes, ['reject 491']);
    scene.assertNothingLeft();
  });

  it('leaves the call as it was when a re-offer is refused', async () => {
    const scene = await established();
    scene.callee().reofferAnswer = failure('media.not_acceptable', { status: 488 });
    const reoffer = new FakeReoffer('INVITE', 'v=0 a');
    scene.caller.listener?.reoffer(reoffer);
    await settle();
    assert.deepEqual(reoffer.notes, ['reject 488']);
    assert.deepEqual(
      [...scene.anchored.sessions].map((session) => session.refused),
      [['l_1']],
    );
    assert.equal(scene.call.state, 'established');
  });

  /** A re-offer of the caller whose answer cannot be translated the first `times`. */
  async function failingReoffer(times: number): Promise<Scene> {
    const scene = await established();
    const [session] = scene.anchored.sessions;
    assert.ok(session);
    const answer = session.answer.bind(session);
    let tries = 0;
    session.answer = (...args) => {
      tries += 1;
      return tries <= times ? Promise.reject(failure('media.failed')) : answer(...args);
    };
    const reoffer = new FakeReoffer('INVITE', 'v=0 a');
    scene.caller.listener?.reoffer(reoffer);
    await settle();
    assert.deepEqual(reoffer.notes, ['reject 500']);
    assert.deepEqual(
      session.refused,
      Array.from({ length: times }, () => 'l_1'),
    );
    assert.deepEqual(scene.callee().notes.slice(1, 5), [
      'reoffer anchored-offer(v=0 a)',
      'ack none',
      'reoffer anchored-offer(v=0 offer)',
      'ack none',
    ]);
    return scene;
  }

  it('takes a re-offer back whose answer cannot be translated, and offers what held before', async () => {
    const scene = await failingReoffer(1);
    assert.equal(scene.call.state, 'established');
    assert.equal(scene.events.includes('held by caller'), false);
  });

  it('ends the call when that is not taken either: its sides go by different descriptions', async () => {
    const scene = await failingReoffer(2);
    assert.equal(scene.callee().gone && scene.caller.gone, true);
    assert.equal(scene.cdr?.termination.code, 'media.failed');
    scene.assertNothingLeft();
  });

  it('waits with that as long as the callee has a re-offer of its own under way', async () => {
    const scene = await established();
    const hold = new FakeReoffer('INVITE', audioSdp('sendonly'));
    hold.accept = () => {
      scene.callee().reofferAnswer = pending;
      return Promise.reject(failure('caller.cancelled'));
    };
    scene.caller.listener?.reoffer(hold);
    await settle();
    assert.deepEqual(offersTo(scene), [
      `anchored-offer(${audioSdp('sendonly')})`,
      'anchored-offer(v=0 offer)',
    ]);
    scene.clock.advance(2_090);
    await settle();
    assert.equal(offersTo(scene).length, 2);
    scene.callee().reofferAnswer = 'v=0 reanswer';
    scene.clock.advance(1_910);
    await settle();
    assert.deepEqual(offersTo(scene).slice(2), ['anchored-offer(v=0 offer)']);
    assert.equal(scene.call.state, 'established');
    assert.equal(scene.callee().notes.at(-1), 'ack none');
  });

  /** A call whose caller has made an early offer that its callee has not seen, and answers 491 to. */
  async function owing(): Promise<Scene> {
    const scene = toTrunk();
    await scene.start();
    scene.callee().ring(183, 'v=0 early');
    await settle();
    scene.caller.listener?.reoffer(new FakeReoffer('UPDATE', 'v=0 moved'));
    await settle();
    scene.callee().reofferAnswer = pending;
    return established(scene, false);
  }

  it('tries a re-offer of our own again that meets one of the callee', async () => {
    const scene = await owing();
    assert.equal(offersTo(scene).length, 1);
    scene.callee().reofferAnswer = 'v=0 reanswer';
    scene.clock.advance(4_000);
    await settle();
    assert.deepEqual(offersTo(scene), ['anchored-offer(v=0 moved)', 'anchored-offer(v=0 moved)']);
    assert.equal(scene.callee().notes.at(-1), 'ack none');
  });

  it('tries it three times in all, and not after the end of the call', async () => {
    const scene = await owing();
    for (const tries of [2, 3, 3]) {
      scene.clock.advance(4_000);
      await settle();
      assert.equal(offersTo(scene).length, tries);
    }
    assert.equal(scene.call.state, 'established');
    const other = await owing();
    other.caller.leave({ cause: 'remote' });
    await settle();
    other.assertNothingLeft();
  });

  it('offers nothing again to the callee when the caller is gone in the middle of its re-offer', async () => {
    const scene = await established();
    const hold = new FakeReoffer('INVITE', audioSdp('sendonly'));
    hold.accept = () => {
      scene.caller.leave({ cause: 'remote' });
      return Promise.reject(failure('dialog.unknown'));
    };
    scene.caller.listener?.reoffer(hold);
    await settle();
    assert.equal(scene.callee().notes.filter((note) => note.startsWith('reoffer')).length, 1);
    scene.assertNothingLeft();
  });

  it('carries a late-offer re-INVITE: the other side offers, the ACK answers', async () => {
    const scene = await established();
    const reoffer = new FakeReoffer('INVITE', undefined);
    reoffer.ackSdp = 'v=0 in ack';
    scene.callee().listener.reoffer(reoffer);
    await settle();
    assert.deepEqual(reoffer.notes, ['accept anchored-offer(v=0 reanswer)']);
    assert.deepEqual(scene.caller.notes.slice(-2), ['reoffer none', 'ack anchored-answer(v=0 in ack)']);
  });

  it('answers a late offer with what the peer said before when its ACK has nothing', async () => {
    const scene = await established();
    scene.callee().listener.reoffer(new FakeReoffer('INVITE', undefined));
    await settle();
    assert.deepEqual(scene.caller.notes.slice(-2), ['reoffer none', 'ack anchored-answer(v=0 answer\r\n)']);
    assert.equal(scene.events.at(-1), 're-offer of callee refused');
    assert.equal(scene.call.state, 'established');
  });

  it('refuses the streams of a late offer that cannot be answered at all, and ends the call', async () => {
    const scene = await established();
    scene.caller.reofferAnswer = audioSdp('sendrecv');
    const [session] = scene.anchored.sessions;
    assert.ok(session);
    session.broken = failure('media.failed');
    const reoffer = new FakeReoffer('INVITE', undefined);
    scene.callee().listener.reoffer(reoffer);
    await settle();
    assert.deepEqual(reoffer.notes, ['reject 500']);
    assert.match(scene.caller.notes.at(-2) ?? '', /^ack v=0\r\n[^]*m=audio 0 RTP\/AVP 0\r\n$/);
    assert.equal(scene.caller.gone, true);
    scene.assertNothingLeft();
  });
});
