import assert from 'node:assert/strict';
import { Timers } from 'sip.js/lib/core/timers.js';
import { AudioCall } from '../../support/audio-call.js';
import { idle } from '../../support/idle.js';
import { within } from '../../support/within.js';
import { answer, nextRequest } from '../../support/ws-call.js';

const instanceId = '<urn:uuid:33333333-3333-4333-8333-333333333333>';
/** Timer B (RFC 3261 §17.1.1.2) of sip.js, 32 s else. */
const timerBMs = 1_500;
/** Four seconds for a repair by the browser itself, two to look at its media, and what a busy machine needs. */
const lookedAtWithinMs = 15_000;

function iceUser(sdp: string): string | undefined {
  return /^a=ice-ufrag:(\S+)/m.exec(sdp)?.[1];
}

function endOf({ gateway }: AudioCall): unknown {
  const ended = gateway.lines.find(({ event }) => event === 'call.ended');
  return [ended?.['code'], ended?.['status']];
}

/** The browser has lost its socket and is back; what becomes of its call is `judge`'s. */
async function returned(judge: (call: AudioCall) => Promise<void>): Promise<void> {
  const call = await AudioCall.open({ instanceId });
  try {
    await call.talk();
    await call.reconnect();
    await judge(call);
    await idle(call.gateway);
  } finally {
    await call.close();
  }
}

async function isOfferedAnew(call: AudioCall): Promise<Parameters<typeof answer>[1]> {
  call.fallSilent();
  const invite = await within(
    lookedAtWithinMs,
    'silent media is not offered anew',
    nextRequest(call.alice, 'INVITE'),
  );
  const [before, after] = [call.answered, invite].map(({ body }) => iceUser(body.toString()));
  assert.ok(after);
  assert.notEqual(after, before, 'by a new ICE path');
  return invite;
}

async function isEndedFor(call: AudioCall, status: number): Promise<void> {
  const bye = await call.pbx.request('BYE', lookedAtWithinMs);
  assert.match(bye.headers.get('reason') ?? '', new RegExp(`^SIP;cause=${status};`));
  call.pbx.respond(bye, 200, 'OK');
  // RFC 3261 §12.2.1.2: the dialog is over for us; a browser that still had it is told.
  answer(call.alice, await nextRequest(call.alice, 'BYE'), 481);
  call.over();
  await idle(call.gateway);
  assert.deepEqual(endOf(call), ['dialog.unknown', status]);
}

describe('the call of a browser that has lost its socket and is back', function () {
  this.timeout(40_000);
  const timers: { TIMER_B: number } = Timers;
  const usualMs = timers.TIMER_B;
  let forgotten: Promise<void>;
  let silent: Promise<void>;
  let whole: Promise<void>;

  before(async () => {
    timers.TIMER_B = timerBMs;
    forgotten = returned(async (call) => {
      answer(call.alice, await isOfferedAnew(call), 481);
      await isEndedFor(call, 481);
    });
    silent = returned(async (call) => {
      await isOfferedAnew(call);
      await isEndedFor(call, 408);
    });
    whole = returned(async (call) => {
      await Promise.allSettled([forgotten, silent]);
      assert.deepEqual(
        call.alice.received.filter((text) => text.startsWith('INVITE')),
        [],
      );
      call.pbxSends('BYE', 99);
      answer(call.alice, await nextRequest(call.alice, 'BYE'), 200);
      call.over();
    });
    await Promise.allSettled([forgotten, silent, whole]);
  });
  after(() => {
    timers.TIMER_B = usualMs;
  });

  it('is offered anew when its media is silent, and ended with 481 when it has forgotten the call', () =>
    forgotten);
  it('is ended with 408 when it does not answer that', () => silent);
  it('is left alone while its media flows', () => whole);
});
