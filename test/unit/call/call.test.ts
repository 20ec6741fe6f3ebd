import assert from 'node:assert/strict';
import { failure, type SipFailure } from '../../../sip/failure.js';
import { established, Scene, sceneWith, toTrunk } from '../../support/call-scene.js';
import { FakeRequest, noHeaders, settle } from '../../support/fake-legs.js';

describe('a call', () => {
  it('carries the translated offer out and the translated answer back', async () => {
    const scene = await established();
    assert.equal(scene.callee().invitation.sdp, 'anchored-offer(v=0 offer)');
    assert.deepEqual(scene.caller.notes, ['answer anchored-answer(v=0 answer)']);
    assert.deepEqual(scene.callee().notes, ['ack none']);
  });

  it('leaves the SDP of two browsers to the engine for direct media', async () => {
    const scene = sceneWith((made) => [[made.target('browser', 'bob')]]);
    await scene.start();
    assert.equal(scene.callee().invitation.sdp, 'direct-offer(v=0 offer)');
    scene.call.cut(failure('gateway.draining'));
    await settle();
    scene.assertNothingLeft();
  });

  it('passes ringing and early media on', async () => {
    const scene = toTrunk();
    await scene.start();
    scene.callee().ring(180);
    scene.callee().ring(183, 'v=0 early');
    await settle();
    assert.equal(scene.call.state, 'ringing');
    assert.deepEqual(scene.caller.notes, ['progress 180 none', 'progress 183 anchored-answer(v=0 early)']);
  });

  it('answers with the early SDP when the 2xx carries none', async () => {
    const scene = toTrunk();
    await scene.start();
    scene.callee().ring(183, 'v=0 early');
    scene.callee().listener.answered({
      status: 200,
      reason: 'OK',
      sdp: undefined,
      headers: noHeaders,
      ack: () => undefined,
    });
    await settle();
    assert.equal(scene.caller.notes.at(-1), 'answer anchored-answer(v=0 early)');
  });

  it('ends the callee with the reason when the caller hangs up', async () => {
    const scene = await established();
    scene.caller.leave({ cause: 'remote', reason: 'Q.850;cause=16' });
    await settle();
    assert.equal(scene.callee().notes.at(-1), 'hangUp Reason: Q.850;cause=16');
    assert.equal(scene.cdr?.termination.result, 'completed');
    assert.equal(scene.cdr.termination.by, 'caller');
    scene.assertNothingLeft();
  });

  it('ends the caller when the callee hangs up', async () => {
    const scene = await established();
    scene.clock.advance(5_000);
    scene.callee().leave({ cause: 'remote' });
    await settle();
    assert.equal(scene.caller.notes.at(-1), 'hangUp');
    assert.deepEqual(scene.cdr?.termination.by, 'callee');
    assert.equal(scene.cdr.durationMs, 5_000);
    scene.assertNothingLeft();
  });

  it('refuses the caller with what the router said', async () => {
    const scene = new Scene(failure('route.no_match'));
    await scene.start();
    assert.deepEqual(scene.caller.notes, ['reject 404 route.no_match']);
    scene.assertNothingLeft();
  });

  it('answers 500 and notes the defect when the router throws something else', async () => {
    const scene = new Scene(new TypeError('broken') as SipFailure);
    await scene.start();
    assert.deepEqual(scene.caller.notes, ['reject 500 gateway.internal']);
    assert.equal(scene.defects.length, 1);
  });

  for (const [status, code] of [
    [486, 'callee.busy'],
    [603, 'callee.declined'],
    [480, 'callee.no_answer'],
    [404, 'upstream.refused'],
  ] as const) {
    it(`passes ${status} on and calls it ${code}`, async () => {
      const scene = toTrunk();
      await scene.start();
      scene.callee().refuse(failure('upstream.refused', { status, reason: 'No' }));
      await settle();
      assert.deepEqual(scene.caller.notes, [`reject ${status} ${code}`]);
      assert.equal(scene.cdr?.termination.code, code);
      scene.assertNothingLeft();
    });
  }

  it('does not follow a redirection', async () => {
    const scene = toTrunk();
    await scene.start();
    scene.callee().refuse(failure('upstream.refused', { status: 302, reason: 'Moved' }));
    await settle();
    assert.deepEqual(scene.caller.notes, ['reject 480 upstream.refused']);
  });

  it('cancels every ringing callee when the caller gives up', async () => {
    const scene = sceneWith((made) => [[made.target('browser', 'bob 1'), made.target('browser', 'bob 2')]]);
    await scene.start();
    scene.callee(0).ring();
    await settle();
    scene.caller.leave({ cause: 'remote', reason: 'SIP;cause=487' });
    await settle();
    assert.deepEqual(
      scene.callees.map((callee) => callee.notes),
      [['hangUp Reason: SIP;cause=487'], ['hangUp Reason: SIP;cause=487']],
    );
    assert.equal(scene.cdr?.termination.code, 'caller.cancelled');
    scene.assertNothingLeft();
  });

  it('connects the first fork that answers and tells the others that it was elsewhere', async () => {
    const scene = sceneWith((made) => [[made.target('browser', 'bob 1'), made.target('browser', 'bob 2')]]);
    await scene.start();
    scene.callee(1).answer('v=0 second');
    await settle();
    assert.deepEqual(scene.callee(0).notes, ['hangUp Reason: SIP;cause=200;text="Call completed elsewhere"']);
    assert.deepEqual(scene.caller.notes, ['answer direct-answer(v=0 second)']);
    scene.caller.acknowledge();
    await settle();
    scene.callee(1).leave({ cause: 'remote' });
    await settle();
    scene.assertNothingLeft();
  });

  it('acknowledges and drops a fork that answers in the same moment as the winner', async () => {
    const scene = sceneWith((made) => [[made.target('browser', 'bob 1'), made.target('browser', 'bob 2')]]);
    await scene.start();
    scene.callee(0).answer();
    scene.callee(1).answer();
    await settle();
    assert.equal(scene.callee(1).notes.includes('ack none'), true);
    assert.equal(scene.callee(1).gone, true);
  });

  it('waits for the other forks when one is busy, and tells the caller the best reason at the end', async () => {
    const scene = sceneWith((made) => [[made.target('browser', 'bob 1'), made.target('browser', 'bob 2')]]);
    await scene.start();
    scene.callee(0).refuse(failure('upstream.refused', { status: 486, reason: 'Busy Here' }));
    await settle();
    assert.deepEqual(scene.caller.notes, []);
    scene.callee(1).refuse(failure('endpoint.lost'));
    await settle();
    assert.equal(scene.caller.notes.length, 1);
    scene.assertNothingLeft();
  });

  it('tries the next target when one is unreachable', async () => {
    const scene = sceneWith((made) => [[made.target('trunk', 'one')], [made.target('trunk', 'two')]]);
    await scene.start();
    scene.callee(0).refuse(failure('trunk.unreachable'));
    await settle();
    scene.callee(1).answer();
    await settle();
    assert.deepEqual(scene.caller.notes, ['answer anchored-answer(v=0 answer)']);
    assert.deepEqual(
      scene.callees.map((callee) => callee.invitation.sdp),
      ['anchored-offer(v=0 offer)', 'anchored-offer(v=0 offer)'],
    );
  });

  it('does not try the next target when the callee is busy', async () => {
    const scene = sceneWith((made) => [[made.target('trunk', 'one')], [made.target('trunk', 'two')]]);
    await scene.start();
    scene.callee(0).refuse(failure('upstream.refused', { status: 486, reason: 'Busy Here' }));
    await settle();
    assert.equal(scene.callees.length, 1);
    assert.deepEqual(scene.caller.notes, ['reject 486 callee.busy']);
  });

  it('carries a late offer: the callee offers in its 2xx, the caller answers in its ACK', async () => {
    const scene = toTrunk({ sdp: undefined });
    await scene.start();
    assert.equal(scene.callee().invitation.sdp, undefined);
    scene.callee().answer('v=0 late');
    await settle();
    assert.deepEqual(scene.callee().notes, []);
    assert.deepEqual(scene.caller.notes, ['answer anchored-offer(v=0 late)']);
    scene.caller.acknowledge('v=0 in ack');
    await settle();
    assert.deepEqual(scene.callee().notes, ['ack anchored-answer(v=0 in ack)']);
    assert.equal(scene.call.state, 'established');
  });

  it('ends both sides when the ACK to a late offer has no SDP', async () => {
    const scene = toTrunk({ sdp: undefined });
    await scene.start();
    scene.callee().answer('v=0 late');
    await settle();
    scene.caller.acknowledge(undefined);
    await settle();
    assert.equal(scene.callee().gone && scene.caller.gone, true);
    assert.equal(scene.cdr?.termination.code, 'media.sdp_malformed');
    scene.assertNothingLeft();
  });

  it('acknowledges and ends a callee whose answer cannot be translated', async () => {
    const scene = toTrunk();
    await scene.start();
    for (const session of scene.anchored.sessions) session.broken = failure('media.not_acceptable');
    scene.callee().answer();
    await settle();
    assert.deepEqual(scene.callee().notes.slice(0, 1), ['ack none']);
    assert.equal(scene.callee().gone, true);
    assert.equal(scene.caller.notes.at(-1), 'hangUp media.not_acceptable');
    scene.assertNothingLeft();
  });

  it('ends both sides when the caller never acknowledges the answer', async () => {
    const scene = toTrunk();
    await scene.start();
    scene.callee().answer();
    await settle();
    scene.caller.loseAck();
    await settle();
    assert.equal(scene.callee().gone, true);
    assert.equal(scene.cdr?.termination.code, 'call.ack_timeout');
    scene.assertNothingLeft();
  });

  it('does not wait for the end of a callee that was left for its silence', async () => {
    let silences = 0;
    const scene = sceneWith((own) => [
      [
        {
          ...own.target('trunk', 'silent'),
          limits: { attemptTimeoutMs: 500 },
          wasSilent: () => (silences += 1),
          failsOver: () => true,
        },
      ],
      [own.target('trunk', 'other')],
    ]);
    await scene.start();
    scene.callee(0).hangUp = () => undefined;
    scene.clock.advance(500);
    await settle();
    assert.equal(silences, 1);
    scene.callee(1).refuse(failure('callee.busy'));
    await settle();
    assert.equal(scene.call.state, 'ended');
    assert.deepEqual(
      scene.cdr?.attempts.map(({ code }) => code),
      ['trunk.timeout', 'callee.busy'],
    );
  });

  it('lasts until somebody hung up, however long the other side takes to answer BYE', async () => {
    const scene = await established();
    scene.clock.advance(2_000);
    scene.callee().hangUp = () => undefined;
    scene.caller.leave({ cause: 'remote' });
    await settle();
    scene.clock.advance(32_000);
    scene.callee().leave({ cause: 'local' });
    await settle();
    assert.equal(scene.cdr?.durationMs, 2_000);
  });

  it('gives up ringing after the limit', async () => {
    const scene = toTrunk();
    await scene.start();
    scene.callee().ring();
    await settle();
    scene.clock.advance(60_000);
    await settle();
    assert.equal(scene.callee().gone, true);
    assert.equal(scene.caller.notes.at(-1), 'hangUp callee.no_answer');
    scene.assertNothingLeft();
  });

  it('ends an established call after the limit', async () => {
    const scene = await established();
    scene.clock.advance(3_600_000);
    await settle();
    assert.equal(scene.cdr?.termination.code, 'call.max_duration');
    scene.assertNothingLeft();
  });

  it('lets an emergency call ring and talk until somebody hangs up', async () => {
    const scene = new Scene({ route: 'emergency', emergency: true, stages: [] });
    const target = scene.target('trunk', 'office');
    scene.plan = { route: 'emergency', emergency: true, stages: [[target]] };
    await scene.start();
    scene.callee().ring();
    await settle();
    scene.clock.advance(3_600_000);
    await settle();
    assert.equal(scene.call.state, 'ringing');
    scene.callee().answer();
    await settle();
    scene.caller.acknowledge();
    await settle();
    scene.clock.advance(24 * 3_600_000);
    await settle();
    assert.equal(scene.call.state, 'established');
    scene.caller.leave({ cause: 'remote' });
    await settle();
    assert.equal(scene.cdr?.termination.code, 'call.completed');
    scene.assertNothingLeft();
  });

  it('ends both sides when the media is lost', async () => {
    const scene = await established();
    for (const session of scene.anchored.sessions) session.listener.timeout('l_1', failure('media.timeout'));
    await settle();
    assert.equal(scene.cdr?.termination.code, 'media.timeout');
    assert.equal(scene.callee().gone && scene.caller.gone, true);
    scene.assertNothingLeft();
  });

  it('carries INFO across and answers with the status of the other side', async () => {
    const scene = await established();
    scene.callee().requestStatus = 415;
    const info = new FakeRequest('INFO', 'application/dtmf-relay', 'Signal=5');
    scene.caller.listener?.request(info);
    await settle();
    assert.deepEqual(scene.callee().requests, [{ method: 'INFO', body: 'Signal=5' }]);
    assert.deepEqual(info.notes, ['415']);
  });

  it('answers 405 to a method that is not carried', async () => {
    const scene = await established();
    const refer = new FakeRequest('REFER', undefined, '');
    scene.caller.listener?.request(refer);
    await settle();
    assert.deepEqual(refer.notes, ['405']);
  });

  it('ends by itself when a leg never reports its end', async () => {
    const scene = await established();
    scene.callee().leave = () => undefined;
    scene.caller.leave({ cause: 'remote' });
    await settle();
    assert.equal(scene.call.state, 'ending');
    scene.clock.advance(40_000);
    await settle();
    assert.equal(scene.call.state, 'ended');
    assert.equal(scene.defects.length, 1);
  });
});
