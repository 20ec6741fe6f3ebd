import assert from 'node:assert/strict';
import { Timers } from 'sip.js/lib/core/timers.js';
import { AudioCall } from '../../support/audio-call.js';
import { idle } from '../../support/idle.js';

const instanceId = '<urn:uuid:44444444-4444-4444-8444-444444444444>';
const graceMs = 1_500;
/** Timer F (RFC 3261 §17.1.2.2) of sip.js, 32 s else. */
const timerFMs = 700;
const answeredWithinMs = 10_000;

/** What the PBX hears in the name of a browser that has lost its socket and stays away. */
describe('a browser that stays away from its call', () => {
  const timers: { TIMER_F: number } = Timers;
  const usualMs = timers.TIMER_F;
  let call: AudioCall;

  const open = async (resumeGraceMs: number): Promise<void> => {
    call = await AudioCall.open({ instanceId, websocket: { resumeGraceMs } });
    call.alice.socket.terminate();
    await call.alice.closed;
  };
  const endedWith = async (status: number): Promise<void> => {
    const bye = await call.pbx.request('BYE', answeredWithinMs);
    assert.match(bye.headers.get('reason') ?? '', new RegExp(`^SIP;cause=${status};`));
    call.pbx.respond(bye, 200, 'OK');
    call.over();
    // What the browser is to hear waits for it.
    await idle(call.gateway, ['calls', 'media_sessions', 'legs', 'trunk_legs']);
  };

  afterEach(async () => {
    timers.TIMER_F = usualMs;
    await call.close();
  });

  it('lets a new call ring until the grace is over: 480, and BYE with the reason in the call that it had', async () => {
    await open(graceMs);
    call.pbxInvites('alice', call.invite.body.toString());
    await call.pbx.status(100, 'INVITE');
    const [refused] = await Promise.all([call.pbx.status(480, 'INVITE', answeredWithinMs), endedWith(480)]);
    assert.equal(refused.callId, 'call-in');
  });

  it('answers no request: 408 when its transaction is over, which ends the call', async () => {
    timers.TIMER_F = timerFMs;
    await open(60_000);
    call.pbxSends('INFO', 20, 'application/x-test', 'x');
    const [answered] = await Promise.all([call.pbx.status(408, 'INFO', answeredWithinMs), endedWith(408)]);
    assert.equal(answered.cseq.number, 20);
  });
});
