import assert from 'node:assert/strict';
import { browserHz, CutOffice, phoneHz } from '../support/cut-office.js';
import { idle } from '../support/idle.js';
import { requirePeer } from '../support/peers.js';
import type { Softphone } from '../support/softphone.js';

/** Longer than a reload takes. */
const resumeGraceMs = 5_000;

for (const engine of ['relay', 'rtpengine'] as const) {
  /** Chromium → webtrunk → Kamailio → baresip, and back. */
  describe(`a page that is reloaded in a call, with the ${engine}`, function () {
    this.timeout(60_000);
    let office: CutOffice;
    let alice: Softphone;

    before(async function () {
      const chromium = requirePeer(this, 'chromium');
      const kamailio = requirePeer(this, 'kamailio');
      const baresip = requirePeer(this, 'baresip');
      const rtpengine = engine === 'rtpengine' ? { rtpengine: requirePeer(this, 'rtpengine') } : {};
      office = await CutOffice.start({ chromium, kamailio, baresip, ...rtpengine }, { resumeGraceMs });
      alice = await office.openSoftphone();
    });
    after(async () => {
      await alice?.close();
      await office?.close();
    });
    beforeEach(() => {
      office.phone.events.items.length = 0;
    });

    const bothHear = (): Promise<unknown> =>
      Promise.all([alice.waitForTone(phoneHz), office.phone.waitForTone(browserHz)]);

    const callOut = async (): Promise<void> => {
      await alice.dial('1001');
      await office.phone.event('CALL_INCOMING');
      office.phone.accept();
      await bothHear();
    };

    /** Gives the time from the reload to the first audio, in milliseconds. */
    const reload = async (): Promise<number> => {
      const sinceMs = Date.now();
      await alice.page.reload();
      await alice.waitForTone(phoneHz);
      return Date.now() - sinceMs;
    };

    it('is in the call again: both hear each other, the time goes on, hold and hang-up work', async () => {
      await callOut();
      const audioMs = await reload();
      process.stdout.write(`      audio ${audioMs} ms after the reload\n`);
      await alice.waitForState('In call');
      await bothHear();
      await alice.hold();
      await alice.waitForSilence();
      await alice.resume();
      await bothHear();
      await alice.hangUp();
      await office.phone.event('CALL_CLOSED');
      await idle(office.gateway);
      assert.deepEqual(alice.problems, []);
    });

    it('is in a call that came in again, which the other side can hold and hang up', async () => {
      office.phone.dial(office.aliceUri);
      await alice.waitForIncoming();
      await alice.answer();
      await bothHear();
      await reload();
      await alice.waitForState('In call');
      assert.equal(await alice.partyName(), '1001');
      await bothHear();
      office.phone.hold();
      await alice.waitForSilence();
      office.phone.resume();
      await bothHear();
      office.phone.hangUp();
      await alice.waitForNotice('Call ended');
      await idle(office.gateway);
    });

    it('leaves the call when it is closed for good: the other side is told', async () => {
      await callOut();
      await alice.close();
      await office.phone.event('CALL_CLOSED', 2 * resumeGraceMs);
      alice = await office.openSoftphone();
      await idle(office.gateway);
    });
  });
}
