import assert from 'node:assert/strict';
import { AudioCall, browserEvents, eventsAmong, phoneEvents } from '../../support/audio-call.js';
import { attribute, until } from '../../support/media-session.js';
import { nextRequest } from '../../support/ws-call.js';

const relayType = 'application/dtmf-relay';
const plainType = 'application/dtmf';

describe('DTMF between a browser and a trunk', () => {
  let call: AudioCall;

  afterEach(async () => {
    await call.close();
  });

  const isInfo = ({ text }: { readonly text: string }): boolean => text.startsWith('INFO ');
  /** Event packets that the phone, or the browser, has got; waits for the three ends of a tone. */
  const toneAt = async (end: 'phone' | 'browser'): Promise<(readonly [number, number, number])[]> => {
    const events = () => eventsAmong(call[end].packets, end === 'phone' ? phoneEvents : browserEvents);
    await until(() => events().filter(([, isEnd]) => isEnd === 1).length === 3);
    return events();
  };

  describe('that takes RFC 4733', () => {
    it('passes events of the browser through', async () => {
      call = await AudioCall.open();
      await call.talk();
      await call.press(5, 1_280);
      assert.deepEqual(await toneAt('phone'), [
        [5, 0, 160],
        [5, 1, 1_280],
        [5, 1, 1_280],
        [5, 1, 1_280],
      ]);
    });

    for (const [contentType, body, code, units] of [
      [relayType, 'Signal=5\r\nDuration=160\r\n', 5, 1_280],
      [plainType, '#', 11, 2_000],
    ] as const) {
      it(`gets events for the browser's INFO with ${contentType}, and no INFO`, async () => {
        call = await AudioCall.open();
        await call.talk();
        assert.equal((await call.info(contentType, body)).status, 200);
        const events = await toneAt('phone');
        assert.ok(events.every(([event]) => event === code));
        assert.deepEqual(events.at(-1), [code, 1, units]);
        assert.ok(await call.pbx.silent(isInfo, 100));
      });
    }

    it('gets the INFO itself when no audio flows that events could replace', async () => {
      call = await AudioCall.open();
      const answered = call.info(relayType, 'Signal=5\r\nDuration=160\r\n');
      const info = await call.pbx.request('INFO');
      assert.equal(info.body.toString(), 'Signal=5\r\nDuration=160\r\n');
      call.pbx.respond(info, 415, 'Unsupported Media Type');
      assert.equal((await answered).status, 415);
    });

    it('has its own INFO passed on', async () => {
      call = await AudioCall.open();
      await call.talk();
      call.pbxSends('INFO', 2, relayType, 'Signal=1\r\n');
      assert.equal((await nextRequest(call.alice, 'INFO')).body.toString(), 'Signal=1\r\n');
    });
  });

  for (const [dtmf, contentType, bodyOf5, bodyOfStar] of [
    ['info', relayType, 'Signal=5\r\nDuration=160\r\n', 'Signal=*\r\nDuration=160\r\n'],
    ['info_dtmf', plainType, '5\r\n', '10'],
  ] as const) {
    describe(`with dtmf: ${dtmf}`, () => {
      beforeEach(async () => {
        call = await AudioCall.open({ dtmf, mediaProcesses: dtmf === 'info' ? 1 : 0 });
        await call.talk();
      });

      it('agrees on events with the browser alone', () => {
        assert.doesNotMatch(call.invite.body.toString(), /telephone-event/);
        assert.match(call.answered.body.toString(), /a=rtpmap:126 telephone-event\/8000/);
        assert.equal(attribute(call.answered.body.toString(), 'rtpmap:0'), undefined);
      });

      it('gets one INFO for each tone that the browser sends, and no events', async () => {
        for (const sent of [1, 2]) {
          await call.press(5, 1_280);
          const info = await call.pbx.request('INFO');
          assert.equal(info.headers.get('content-type'), contentType, `tone ${sent}`);
          assert.equal(info.body.toString(), bodyOf5);
          call.pbx.respond(info, 200, 'OK');
        }
        assert.ok(await call.pbx.silent(isInfo, 100));
        assert.deepEqual(eventsAmong(call.phone.packets, phoneEvents), []);
      });

      it("gets the browser's INFO in its own content type, and its answer goes back", async () => {
        const other = dtmf === 'info' ? plainType : relayType;
        const body = dtmf === 'info' ? '5' : 'Signal=5\r\nDuration=160\r\n';
        const answered = call.info(other, body);
        const info = await call.pbx.request('INFO');
        assert.equal(info.headers.get('content-type'), contentType);
        assert.match(info.body.toString(), dtmf === 'info' ? /^Signal=5\r\nDuration=250\r\n$/ : /^5\r\n$/);
        call.pbx.respond(info, 415, 'Unsupported Media Type');
        assert.equal((await answered).status, 415);
      });

      it('sends INFO that becomes events for the browser', async () => {
        call.pbxSends('INFO', 2, contentType, bodyOfStar);
        await call.pbx.status(200, 'INFO');
        const events = await toneAt('browser');
        assert.ok(events.every(([event]) => event === 10));
        assert.deepEqual(events.at(-1), [10, 1, dtmf === 'info' ? 1_280 : 2_000]);
        assert.ok(!call.alice.received.some((text) => text.startsWith('INFO ')));
      });

      it('tells of a tone that it has refused', async () => {
        await call.press(5, 1_280);
        call.pbx.respond(await call.pbx.request('INFO'), 500, 'Server Internal Error');
        await until(() => call.gateway.lines.some(({ event }) => event === 'call.tone_lost'));
      });
    });
  }
});
