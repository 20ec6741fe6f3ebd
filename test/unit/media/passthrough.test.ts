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

  it('takes private candidates out of both descriptions when told to, and leaves the rest alone', async () => {
    const session = createPassthroughEngine({ filterPrivateCandidates: true }).createSession(
      'c_1',
      new TimeoutRecord(),
    );
    const line = (host: string): string => `a=candidate:1 1 udp 1 ${host} 5000 typ host\r\n`;
    const description = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n';
    const told = description + line('198.51.100.7');
    const own = description + line('192.168.0.7') + line('198.51.100.7') + line('fe80::1');
    assert.equal(await session.offer('l_1', 'l_2', own), told);
    assert.equal(await session.answer('l_2', 'l_1', own), told);
    session.close();
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
