import assert from 'node:assert/strict';
import fc from 'fast-check';
import { SipFailure } from '../../../sip/failure.js';
import { attribute, relayOnLoopback, TimeoutRecord } from '../../support/media-session.js';
import { fixture } from '../../support/sdp-fixtures.js';

const plain = { profile: 'plain', codecs: ['PCMU', 'PCMA'] } as const;
const phone =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n';

/** What a browser may offer in a call; `asksAnew`: it asks for another ICE or DTLS association. */
const changes = [
  { asksAnew: false, change: (sdp: string) => sdp },
  { asksAnew: false, change: (sdp: string) => sdp.replace('a=sendrecv', 'a=sendonly') },
  { asksAnew: false, change: (sdp: string) => sdp.replace('a=sendrecv', 'a=inactive') },
  { asksAnew: false, change: (sdp: string) => sdp.replace(/^a=candidate:.*\r\n/gm, '') },
  { asksAnew: false, change: (sdp: string) => sdp.replace(/^a=setup:\w+/m, 'a=setup:active') },
  { asksAnew: false, change: (sdp: string) => sdp.replace(/^a=setup:\w+/m, 'a=setup:passive') },
  {
    asksAnew: true,
    change: (sdp: string, nth: number) => sdp.replace(/^a=ice-ufrag:.*$/m, `a=ice-ufrag:new${nth}`),
  },
  {
    asksAnew: true,
    change: (sdp: string, nth: number) => sdp.replace(/^a=ice-pwd:.*$/m, `a=ice-pwd:${'p'.repeat(22)}${nth}`),
  },
] as const;

const associationOf = (sdp: string): readonly (string | undefined)[] =>
  ['setup', 'fingerprint', 'ice-ufrag', 'ice-pwd'].map((name) => attribute(sdp, name));

const step = fc.record({ which: fc.nat(changes.length - 1), isRefused: fc.boolean() });

describe('the association of a browser with the relay', function () {
  this.timeout(20_000);

  it('is never changed by an answer unless the offer asked for it, whatever was offered and refused before', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
        const relay = relayOnLoopback();
        const session = relay.createSession('c_test', new TimeoutRecord());
        try {
          session.addEnd('l_browser', { profile: 'webrtc' });
          session.addEnd('l_phone', plain);
          let agreed = fixture('audio-offer');
          await session.offer('l_browser', 'l_phone', agreed);
          let before = associationOf(await session.answer('l_phone', 'l_browser', phone));
          for (const [nth, { which, isRefused }] of steps.entries()) {
            const { asksAnew = false, change = String } = changes[which] ?? {};
            const offered = change(agreed, nth);
            await session.offer('l_browser', 'l_phone', offered);
            if (isRefused) {
              session.refuse('l_phone');
              continue;
            }
            const now = associationOf(await session.answer('l_phone', 'l_browser', phone));
            if (asksAnew) {
              for (const at of [1, 2, 3]) assert.notEqual(now[at], before[at]);
              agreed = offered;
            } else {
              assert.deepEqual(now, before);
            }
            before = now;
          }
        } finally {
          session.close();
          await relay.close();
        }
      }),
      { numRuns: 25 },
    );
  });

  it('is the same in every offer of ours, and an answer that leaves it is refused', async () => {
    const relay = relayOnLoopback();
    const session = relay.createSession('c_test', new TimeoutRecord());
    try {
      session.addEnd('l_browser', { profile: 'webrtc' });
      session.addEnd('l_phone', plain);
      const agreed = fixture('audio-offer');
      await session.offer('l_browser', 'l_phone', agreed);
      const [, ...known] = associationOf(await session.answer('l_phone', 'l_browser', phone));
      const [setup, ...offered] = associationOf(await session.offer('l_phone', 'l_browser', phone));
      assert.equal(setup, 'actpass');
      assert.deepEqual(offered, known);
      const left = agreed
        .replace(/^a=ice-ufrag:.*$/m, 'a=ice-ufrag:left')
        .replace('setup:actpass', 'setup:active');
      await assert.rejects(
        session.answer('l_browser', 'l_phone', left),
        (thrown) => thrown instanceof SipFailure && thrown.code === 'media.failed',
      );
    } finally {
      session.close();
      await relay.close();
    }
  });
});
