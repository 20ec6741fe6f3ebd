import assert from 'node:assert/strict';
import { SipFailure } from '../../../sip/failure.js';
import { createPassthroughEngine } from '../../../sip/media/passthrough.js';
import { TimeoutRecord } from '../../support/media-session.js';

describe('passthrough media', () => {
  it('hands offers and answers on untouched', async () => {
    const engine = createPassthroughEngine();
    const session = engine.createSession('c_1', new TimeoutRecord());
    assert.match(session.id, /^m_/);
    session.addEnd('l_1', { profile: 'webrtc' });
    session.addEnd('l_2', { profile: 'webrtc' });
    assert.equal(await session.offer('l_1', 'l_2', 'v=0'), 'v=0');
    assert.equal(await session.answer('l_2', 'l_1', 'v=1'), 'v=1');
    session.refuse('l_2');
    session.removeEnd('l_2');
    assert.deepEqual(session.stats(), []);
    assert.equal(engine.size, 1);
    session.close();
    session.close();
    assert.equal(engine.size, 0);
  });

  it('takes no call after close', async () => {
    const engine = createPassthroughEngine();
    engine.createSession('c_1', new TimeoutRecord());
    await engine.close();
    assert.equal(engine.size, 0);
    assert.throws(
      () => engine.createSession('c_2', new TimeoutRecord()),
      (thrown) => thrown instanceof SipFailure && thrown.code === 'media.failed',
    );
  });
});
