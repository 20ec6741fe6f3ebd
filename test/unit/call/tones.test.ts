import assert from 'node:assert/strict';
import { CallMedia } from '../../../gateway/call/call-media.js';
import { InDialog } from '../../../gateway/call/in-dialog.js';
import type { CallSource, CalleeTarget } from '../../../gateway/call/ports.js';
import type { InDialogResponse, Invitation } from '../../../sip/leg.js';
import { FakeCallee, FakeCaller, FakeMedia, noHeaders, settle } from '../../support/fake-legs.js';

const alice: CallSource = { side: 'browser', aor: 'sip:alice@localhost', endpointId: 'e_1' };

/** A PBX that answers INFO when it is told to. */
class SlowCallee extends FakeCallee {
  readonly #unanswered: ((response: InDialogResponse) => void)[] = [];

  override request(method: string, content?: { contentType: string; body: string }) {
    void super.request(method, content);
    return new Promise<InDialogResponse>((resolve) => this.#unanswered.push(resolve));
  }

  /** Answers the oldest request. */
  async respond(status: number): Promise<void> {
    this.#unanswered.shift()?.({ status, reason: '', headers: noHeaders, contentType: undefined, body: '' });
    await settle();
  }

  get bodies(): readonly (string | undefined)[] {
    return this.requests.map(({ body }) => body);
  }
}

describe('tones of a browser for a trunk whose DTMF is in INFO', () => {
  let lost: string[];
  let callee: SlowCallee;
  let press: (digit: string) => void;

  beforeEach(async () => {
    lost = [];
    const engine = new FakeMedia('anchored');
    const media = new CallMedia(
      'c_1',
      'l_caller',
      alice,
      { anchoredMedia: engine, browserMedia: engine },
      () => assert.fail('media were lost'),
    );
    const target: CalleeTarget = {
      side: 'trunk',
      label: 'office',
      media: { profile: 'plain', infoDtmf: 'application/dtmf' },
      from: { uri: 'sip:alice@localhost' },
      to: { uri: 'sip:600@pbx' },
      headers: [],
      invite: () => assert.fail('nobody is invited'),
    };
    const invitation: Invitation = {
      legId: 'l_callee',
      from: target.from,
      to: target.to,
      sdp: undefined,
      headers: [],
    };
    callee = new SlowCallee('trunk', invitation, {
      progress: () => undefined,
      answered: () => undefined,
      failed: () => undefined,
      reoffer: () => undefined,
      request: () => undefined,
      ended: () => undefined,
    });
    const call = {
      id: 'c_1',
      caller: new FakeCaller('l_caller', 'browser'),
      source: alice,
      incoming: { headers: noHeaders },
    };
    new InDialog(call, media, () => ({ leg: callee, target }), {
      callToneLost: ({ failure }) => lost.push(failure.code),
      callTrickled: () => undefined,
    });
    await media.offerTo('l_callee', target, undefined);
    const [session] = engine.sessions;
    press = (digit) => session?.listener.dtmf?.('l_caller', { digit, durationMs: 100 });
  });

  it('go one after the other, each when the one before is answered', async () => {
    for (const digit of '123') press(digit);
    await settle();
    assert.deepEqual(callee.bodies, ['1\r\n']);
    await callee.respond(200);
    assert.deepEqual(callee.bodies, ['1\r\n', '2\r\n']);
    await callee.respond(500);
    assert.deepEqual(callee.bodies, ['1\r\n', '2\r\n', '3\r\n']);
    assert.deepEqual(lost, ['upstream.refused']);
  });

  it('are lost and told so when 32 wait for a PBX that does not answer', async () => {
    for (let count = 0; count < 40; count += 1) press('5');
    await settle();
    assert.equal(callee.requests.length, 1);
    assert.deepEqual(lost, Array<string>(8).fill('limit.tones'));
    await callee.respond(200);
    press('6');
    await settle();
    assert.equal(lost.length, 8, 'there is room again');
    for (let count = 0; count < 33; count += 1) await callee.respond(200);
    assert.deepEqual(callee.bodies, [...Array<string>(32).fill('5\r\n'), '6\r\n']);
    press('7');
    await settle();
    assert.equal(callee.bodies.at(-1), '7\r\n');
  });
});
