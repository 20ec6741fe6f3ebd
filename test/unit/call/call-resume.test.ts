import assert from 'node:assert/strict';
import { Call } from '../../../gateway/call/call.js';
import type { CallSnapshot } from '../../../gateway/call/call-snapshot.js';
import type { CallSurroundings } from '../../../gateway/call/call-surroundings.js';
import type { CallEvents } from '../../../gateway/telemetry/call-events.js';
import { readCallDocument } from '../../../gateway/hand-over/call-document.js';
import { failure } from '../../../sip/failure.js';
import type { LegListener } from '../../../sip/leg.js';
import { createPassthroughEngine } from '../../../sip/media/passthrough.js';
import { callDocument } from '../../fuzz/stored-records.js';
import { FakeClock } from '../../support/fake-clock.js';
import { FakeCaller, noHeaders, settle } from '../../support/fake-legs.js';

describe('a call that was up in an earlier process', () => {
  const media = createPassthroughEngine();
  const clock = new FakeClock();
  const document = readCallDocument(JSON.stringify(callDocument));
  let told: string[];

  const surroundings: CallSurroundings = {
    router: { plan: () => Promise.reject(failure('route.no_match')), isEmergency: () => false },
    anchoredMedia: media,
    browserMedia: media,
    newLegId: () => 'l_new',
    limits: { maxRingMs: 60_000, maxDurationMs: 3_600_000 },
    clock,
    events: { callEnded: () => undefined } as Pick<CallEvents, 'callEnded'> as CallEvents,
    ended: () => void told.push('ended'),
    changed: () => void told.push('changed'),
    defect: () => void told.push('defect'),
  };

  beforeEach(() => {
    told = [];
  });

  const resumed = (snapshot: CallSnapshot, caller: FakeCaller): Call => {
    const { from, to, dialled: requestUri, source } = snapshot;
    const incoming = { leg: caller, requestUri, from, to, sdp: undefined, headers: noHeaders };
    return new Call(snapshot.id, incoming, source, surroundings);
  };

  it('goes on without an end when nothing limits it', async () => {
    assert.ok(document !== undefined);
    const unlimited = { ...callDocument.call, maxDurationMs: undefined };
    const read = readCallDocument(JSON.stringify({ ...callDocument, call: unlimited }));
    assert.ok(read !== undefined);
    const caller = new FakeCaller('l_1', 'browser');
    const call = resumed(read.call, caller);
    const other = new FakeCaller('l_2', 'trunk');
    call.resume(read.call, (listener) => {
      other.listen(listener);
      return other;
    });
    clock.advance(48 * 3_600_000);
    await settle();
    assert.equal(call.state, 'established');
    assert.equal(clock.pending, 0);
    caller.leave({ cause: 'remote' });
    await settle();
    assert.deepEqual(told, ['ended']);
    assert.equal(media.size + clock.pending, 0);
  });

  it('leaves nothing when its other leg cannot be restored, whatever its first leg says later', async () => {
    assert.ok(document !== undefined);
    const caller = new FakeCaller('l_1', 'browser');
    let ears: LegListener | undefined;
    const call = resumed(document.call, caller);
    const restore = (listener: LegListener): never => {
      ears = listener;
      throw failure('dialog.unknown');
    };
    assert.throws(() => call.resume(document.call, restore), { code: 'dialog.unknown' });
    assert.equal(call.state, 'ended');
    assert.equal(media.size, 0);
    assert.equal(clock.pending, 0);
    ears?.ended({ cause: 'local' });
    caller.listener?.ended({ cause: 'remote' });
    await settle();
    assert.deepEqual(told, []);
  });
});
