import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import { launchChromium, type TestBrowser } from '../support/chromium.js';
import { FarEnd } from '../support/far-end.js';
import { requirePeer } from '../support/peers.js';
import { ScriptedServer, type ServedRequest } from '../support/scripted-server.js';
import { recordTones } from '../in-page/record-tones.js';
import { Softphone } from '../support/softphone.js';

const farContact = ['Contact', '<sip:far@127.0.0.1;transport=ws>'] as const;
const farTag = 'far';

/** The softphone page alone, against a server that says what the test wants; with the real one: phone.test.ts. */
describe('the softphone page in Chromium', function () {
  this.timeout(40_000);
  let chromium: TestBrowser;
  let server: ScriptedServer;
  let phone: Softphone;
  let far: FarEnd;

  before(async function () {
    chromium = await launchChromium(requirePeer(this, 'chromium'), 440);
  });
  after(async () => {
    await chromium?.close();
  });
  beforeEach(async () => {
    server = await ScriptedServer.start();
    phone = await Softphone.open(chromium, server.url);
    far = new FarEnd(chromium, server.url, 700);
  });
  afterEach(async () => {
    await phone.close();
    await far.close();
    await server.close();
  });

  /** Resolves with the next request of this method that the page sends. */
  const nextRequest = (method: string): Promise<ServedRequest> =>
    new Promise((resolve) => {
      if (method === 'INVITE') server.onInvite = resolve;
      else {
        server.onOther = (served) => {
          if (served.request.method !== 'ACK') served.reply(200);
          if (served.request.method === method) resolve(served);
        };
      }
    });

  /** Signs in, calls 600 and has the far end answer. */
  const callAnswered = async (): Promise<ServedRequest> => {
    await phone.signIn('alice', 'right');
    const invited = nextRequest('INVITE');
    await phone.dial('600');
    const invite = await invited;
    await accept(invite);
    await phone.waitForState('In call');
    return invite;
  };

  /** Another window takes the phone; resolves when this one has taken it back. */
  const replacedAndBack = async (): Promise<void> => {
    const registered = new Promise<void>((resolve) => {
      server.onRegister = (served) => {
        server.acceptRegister(served);
        if (served.request.headers.has('Authorization')) resolve();
      };
    });
    server.dropSockets(4408);
    await registered;
    await phone.waitForLine('Connected as alice');
  };

  const accept = async ({ body, reply }: ServedRequest): Promise<void> => {
    const answer = await far.answer(body);
    reply(200, { toTag: farTag, headers: [farContact], body: answer, contentType: 'application/sdp' });
  };

  describe('signing in', () => {
    it('registers with outbound parameters and an instance that outlives a reload', async () => {
      await phone.signIn('alice', 'right');
      const instances = server.requests.map(
        ({ headers }) => /\+sip\.instance="([^"]+)"/.exec(headers.get('Contact') ?? '')?.[1],
      );
      assert.match(instances[0] ?? '', /^<urn:uuid:[0-9a-f-]{36}>$/);
      assert.match(server.requests[0]?.headers.get('Contact') ?? '', /;reg-id=1/);
      assert.match(server.requests[0]?.headers.get('Supported') ?? '', /outbound/);
      await phone.page.reload();
      await phone.waitForLine('Connected as alice');
      assert.equal(
        new Set([
          ...instances,
          /\+sip\.instance="([^"]+)"/.exec(server.requests.at(-1)?.headers.get('Contact') ?? '')?.[1],
        ]).size,
        1,
      );
    });

    it('says that the user name or password is wrong, and lets one try again', async () => {
      server.onRegister = ({ reply }) => reply(403);
      await phone.submitSignIn('alice', 'wrong');
      await phone.waitForSignInProblem('Wrong user name or password');
      assert.equal(await phone.page.inputValue('#user'), 'alice');
      assert.equal(await phone.page.inputValue('#password'), '');
      server.onRegister = (served) => server.acceptRegister(served);
      await phone.signIn('alice', 'right');
    });

    it('remembers the user name but the password only within the tab', async () => {
      await phone.signIn('alice', 'right');
      const kept = await phone.page.evaluate(
        '({ lasting: JSON.stringify({ ...localStorage }), tab: JSON.stringify({ ...sessionStorage }) })',
      );
      assert.doesNotMatch((kept as { lasting: string }).lasting, /right/);
      const page = await phone.context.newPage();
      await page.goto(server.url);
      assert.equal(await page.inputValue('#user'), 'alice');
      assert.equal(await page.inputValue('#password'), '');
    });

    it('signs out: removes the binding and forgets the password', async () => {
      await phone.signIn('alice', 'right');
      await phone.page.click('#settings-button');
      await phone.page.click('text=Sign out');
      await phone.page.locator('#sign-in').waitFor({ state: 'visible' });
      while (!/expires=0/.test(server.requests.at(-1)?.headers.get('Contact') ?? ''))
        await phone.page.waitForTimeout(20);
      await phone.page.reload();
      await phone.page.locator('#sign-in').waitFor({ state: 'visible' });
    });
  });

  describe('the connection', () => {
    it('says that it is lost, counts down, and comes back by itself', async () => {
      await phone.signIn('alice', 'right');
      await server.close();
      await phone.waitForLine('Connection lost, trying again in');
      await server.listen();
      await phone.waitForLine('Connected as alice');
    });

    it('keeps trying while the server is away, and at once when asked to', async () => {
      await phone.signIn('alice', 'right');
      await server.close();
      await phone.waitForLine('Server not reachable, trying again in');
      await server.listen();
      await phone.page.click('text=Try now');
      await phone.waitForLine('Connected as alice');
    });

    it('notices a connection that died without a word', async () => {
      await phone.signIn('alice', 'right');
      server.freezeSockets();
      await phone.page.evaluate("window.dispatchEvent(new Event('online'))");
      await phone.waitForLine('Connection lost');
    });

    it('waits as long as a server that is not ready asks for', async () => {
      server.onRegister = ({ reply }) => reply(503, { headers: [['Retry-After', '25']] });
      await phone.submitSignIn('alice', 'right');
      await phone.waitForLine('The server is not ready, trying again in 25 s');
    });

    it('says that too many devices are signed in, and keeps the password for when there is room', async () => {
      server.onRegister = ({ reply }) => reply(403, { reason: 'Too Many Bindings' });
      await phone.submitSignIn('alice', 'right');
      await phone.waitForLine('Too many devices are signed in, trying again in');
      assert.match(await phone.page.innerText('#line-advice'), /^Sign out/);
      server.onRegister = (served) => server.acceptRegister(served);
      await phone.page.click('text=Try now');
      await phone.waitForLine('Connected as alice');
      await phone.page.locator('#line-advice').waitFor({ state: 'hidden' });
    });

    for (const reason of ['Too Many Bindings', 'Forbidden']) {
      it(`does not end a call because of 403 ${reason} to a later sign-in`, async () => {
        await callAnswered();
        server.onRegister = ({ reply }) => reply(403, { reason });
        server.dropSockets(1006);
        await phone.waitForLine(
          reason === 'Forbidden' ? 'The server refused the sign-in' : 'Too many devices are signed in',
        );
        assert.equal(await phone.stateText(), 'In call');
        await phone.waitForTone(700);
        server.onRegister = (served) => server.acceptRegister(served);
        const bye = nextRequest('BYE');
        await phone.page.click('text=Try now');
        await phone.waitForLine('Connected as alice');
        await phone.hangUp();
        await bye;
      });
    }

    it('comes back from a refusal and from an answer without its binding', async () => {
      const answers = [503, 200, 200];
      server.onRegister = (served) => {
        const status = answers.shift();
        if (status === undefined) server.acceptRegister(served);
        else served.reply(status);
      };
      await phone.submitSignIn('alice', 'right');
      for (const left of [2, 1, 0]) {
        await phone.waitForLine('The server is not ready');
        assert.equal(answers.length, left);
        await phone.page.click('text=Try now');
      }
      await phone.waitForLine('Connected as alice');
    });

    it('leaves the phone to a newer window instead of fighting for it', async () => {
      await phone.signIn('alice', 'right');
      server.dropSockets(4408);
      await phone.waitForLine('Open in another window');
      assert.equal(server.size, 0);
      await phone.page.click('text=Use it here');
      await phone.waitForLine('Connected as alice');
    });

    it('takes the phone back for a call that is up here, and hangs it up', async () => {
      const invite = await callAnswered();
      await replacedAndBack();
      const bye = nextRequest('BYE');
      await phone.hangUp();
      await phone.waitForNotice('Call ended');
      assert.equal((await bye).request.callId, invite.request.callId);
      const order = server.requests.map(({ method }) => method);
      assert.ok(order.lastIndexOf('REGISTER') < order.indexOf('BYE'), order.join(' '));
    });

    it('does not fight for it with another window in a call, says so, and hangs up nevertheless', async () => {
      await callAnswered();
      await replacedAndBack();
      server.dropSockets(4408);
      await phone.waitForLine('Open in another window');
      await phone.waitForState('The phone is open in another window');
      assert.equal(await phone.page.innerText('#call-timer'), '');
      await phone.waitForTone(700);
      assert.equal(server.size, 0);
      const bye = nextRequest('BYE');
      await phone.hangUp();
      await bye;
      server.dropSockets(4408);
      await phone.waitForLine('Open in another window');
      assert.equal(server.size, 0);
    });

    it('hangs up when one signs out while another window has the phone', async () => {
      await callAnswered();
      await replacedAndBack();
      server.dropSockets(4408);
      await phone.waitForLine('Open in another window');
      const bye = nextRequest('BYE');
      await phone.signOut();
      await bye;
    });

    it('keeps a call over a lost connection, and sends what the call had to say meanwhile', async () => {
      const invite = await callAnswered();
      server.dropSockets(1006);
      await phone.waitForLine('Connection lost');
      await phone.waitForTone(700);
      await phone.hangUp();
      await phone.waitForNotice('Call ended');
      const bye = await nextRequest('BYE');
      assert.equal(bye.request.callId, invite.request.callId);
      await phone.waitForLine('Connected as alice');
      const order = server.requests.map(({ method }) => method);
      assert.ok(order.lastIndexOf('REGISTER') < order.indexOf('BYE'), order.join(' '));
    });
  });

  describe('a call of ours', () => {
    it('sends an offer with gathered candidates, and is heard and hears', async () => {
      const invite = await callAnswered();
      assert.match(invite.body, /a=candidate:/);
      assert.match(invite.body, /telephone-event\/8000/);
      assert.match(invite.request.headers.get('Supported') ?? '', /100rel/);
      await phone.waitForTone(700);
      await far.waitForTone(440);
    });

    it('lets early media be heard while it rings', async () => {
      await phone.signIn('alice', 'right');
      const invited = nextRequest('INVITE');
      await phone.dial('600');
      const { body, reply } = await invited;
      reply(100);
      const answer = await far.answer(body);
      const session = { toTag: farTag, headers: [farContact], body: answer, contentType: 'application/sdp' };
      reply(183, session);
      await phone.waitForState('Ringing…');
      await phone.waitForTone(700);
      reply(200, session);
      await phone.waitForState('In call');
      await phone.waitForTone(700);
    });

    const refusals = [
      [486, 'Busy'],
      [603, 'Declined'],
      [480, 'Not reachable right now'],
      [404, 'No such number'],
      [408, 'No answer'],
      [503, 'The service is not available right now'],
    ] as const;
    for (const [status, words] of refusals) {
      it(`says "${words}" for ${status}, with the server's reason as small print`, async () => {
        await phone.signIn('alice', 'right');
        server.onInvite = ({ reply }) => reply(status, { reason: 'As the server says' });
        await phone.dial('600');
        await phone.waitForNotice(words);
        assert.equal(await phone.page.innerText('#notice-detail'), `${status} As the server says`);
        await phone.waitForNoCall();
      });
    }

    it('is cancelled by Escape while it rings', async () => {
      await phone.signIn('alice', 'right');
      const invited = nextRequest('INVITE');
      const cancelled = nextRequest('CANCEL');
      await phone.page.keyboard.type('600');
      await phone.page.keyboard.press('Enter');
      const invite = await invited;
      invite.reply(180, { toTag: farTag, headers: [farContact] });
      await phone.waitForState('Ringing…');
      await phone.page.keyboard.press('Escape');
      await cancelled;
      await phone.waitForNoCall();
      invite.reply(487, { toTag: farTag });
    });

    it('shows the name that the server vouches for', async () => {
      await phone.signIn('alice', 'right');
      server.onInvite = ({ reply }) =>
        reply(180, {
          toTag: farTag,
          headers: [farContact, ['P-Asserted-Identity', '"Echo test" <sip:600@localhost>']],
        });
      await phone.dial('600');
      await phone.waitForState('Ringing…');
      await phone.page.locator('#call-name', { hasText: 'Echo test' }).waitFor();
    });

    it('ends when the other side hangs up, and says when it was cut off', async () => {
      const { request } = await callAnswered();
      const fields = {
        From: `<sip:600@localhost>;tag=${farTag}`,
        To: request.headers.get('From') ?? '',
        'Call-ID': request.callId,
        Reason: 'SIP;cause=408;text="No media"',
      };
      const bye = await server.call('BYE', server.contactUri(), fields);
      assert.equal(bye.status, 200);
      await phone.waitForNotice('The call was cut off');
      await phone.waitForNoCall();
    });

    it('refuses to be sent elsewhere by the other side', async () => {
      const { request } = await callAnswered();
      const fields = {
        From: `<sip:600@localhost>;tag=${farTag}`,
        To: request.headers.get('From') ?? '',
        'Call-ID': request.callId,
        'Refer-To': '<sip:premium@localhost>',
      };
      assert.equal((await server.call('REFER', server.contactUri(), fields)).status, 603);
      assert.equal(await phone.stateText(), 'In call');
    });
  });

  describe('during a call', () => {
    it('mutes and unmutes', async () => {
      await callAnswered();
      await far.waitForTone(440);
      await phone.mute();
      await far.waitForSilence();
      await phone.unmute();
      await far.waitForTone(440);
    });

    it('holds and resumes: silence both ways, then sound both ways', async () => {
      await callAnswered();
      await far.waitForTone(440);
      let offered = '';
      server.onInvite = (served) => {
        offered = served.body;
        void accept(served);
      };
      await phone.hold();
      assert.match(offered, /a=sendonly/);
      await far.waitForSilence();
      await phone.waitForSilence();
      await phone.resume();
      assert.match(offered, /a=sendrecv/);
      await far.waitForTone(440);
      await phone.waitForTone(700);
    });

    it('tries a hold again when both sides renegotiate at once', async () => {
      await callAnswered();
      let glares = 0;
      server.onInvite = (served) => {
        glares += 1;
        if (glares === 1) served.reply(491, { toTag: farTag });
        else void accept(served);
      };
      await phone.hold();
      assert.equal(glares, 2);
    });

    it('says so when the other side refuses a hold, and goes on', async () => {
      await callAnswered();
      server.onInvite = ({ reply }) => reply(488, { toTag: farTag });
      await phone.page.click('#hold');
      await phone.waitForNotice('The call could not be put on hold');
      await phone.waitForState('In call');
      await far.waitForTone(440);
      server.onInvite = (served) => void accept(served);
      await phone.hold();
    });

    it('shows when the other side holds and resumes', async () => {
      const { request } = await callAnswered();
      const reinvite = async (cseq: number, direction: 'sendonly' | 'sendrecv'): Promise<void> => {
        const fields = {
          From: `<sip:600@localhost>;tag=${farTag}`,
          To: request.headers.get('From') ?? '',
          'Call-ID': request.callId,
          CSeq: `${cseq} INVITE`,
        };
        const answer = await server.call('INVITE', server.contactUri(), fields, await far.offer(direction));
        assert.equal(answer.status, 200);
        await far.settle(answer.body.toString());
        server.acknowledge(answer);
      };
      await reinvite(1, 'sendonly');
      await phone.waitForState('The other side put you on hold');
      await reinvite(2, 'sendrecv');
      await phone.waitForState('In call');
    });

    it('shows the digits that it sends, by keypad and by keyboard', async () => {
      await callAnswered();
      await phone.pressDigit('1');
      await phone.page.keyboard.press('2');
      await phone.page.keyboard.press('#');
      assert.equal(await phone.page.innerText('#call-digits'), '12#');
    });

    it('asks for a new network path when the sound breaks, and is heard and hears again', async () => {
      await callAnswered();
      await phone.waitForTone(700);
      await far.close();
      far = new FarEnd(chromium, server.url, 900);
      const invited = nextRequest('INVITE');
      await phone.waitForState('Connecting the sound…');
      const restart = await invited;
      await accept(restart);
      await phone.waitForTone(900);
      await far.waitForTone(440);
      await phone.waitForState('In call');
    });

    it('changes the microphone without a new offer', async () => {
      await callAnswered();
      await far.waitForTone(440);
      await phone.page.click('#settings-button');
      const options = await phone.page.locator('#microphone option').all();
      const ids = await Promise.all(options.map((option) => option.getAttribute('value')));
      const chosen = ids.find((id) => id !== '') ?? '';
      assert.notEqual(chosen, '', 'no microphone is listed');
      server.onInvite = () => assert.fail('a new offer was sent');
      await phone.page.selectOption('#microphone', chosen);
      await far.waitForTone(440);
      await phone.hangUp();
      await phone.waitForNoCall();
      await phone.page.reload();
      await phone.waitForLine('Connected as alice');
      await phone.page.click('#settings-button');
      await phone.page.locator(`#microphone option[value="${chosen}"]`).waitFor({ state: 'attached' });
      assert.equal(await phone.page.inputValue('#microphone'), chosen);
    });
  });

  describe('a call to us', () => {
    beforeEach(() => phone.signIn('alice', 'right'));
    const bob = '"Robert" <sip:bob@localhost>';

    it('rings with the name, is answered, and both hear each other', async () => {
      const call = server.invite(bob, await far.offer());
      assert.equal(await phone.waitForIncoming(), 'Robert');
      assert.equal(await phone.page.title(), 'Robert is calling');
      await phone.answer();
      const answer = await call.final;
      assert.equal(answer.status, 200);
      await far.settle(answer.body.toString());
      server.acknowledge(answer);
      await phone.waitForState('In call');
      await phone.waitForTone(700);
      await far.waitForTone(440);
    });

    it('is announced by a ringing tone until it is answered', async () => {
      await phone.page.evaluate(recordTones);
      const call = server.invite(bob, await far.offer());
      await phone.waitForIncoming();
      await phone.page.waitForFunction('globalThis.tones.length >= 2');
      assert.deepEqual(await phone.page.evaluate('globalThis.tones.slice(0, 2)'), [587, 740]);
      await phone.answer();
      await call.final;
      const rung = await phone.page.evaluate('globalThis.tones.length');
      await phone.waitForState('Connecting the sound…');
      assert.equal(await phone.page.evaluate('globalThis.tones.length'), rung);
    });

    it('is declined with 603', async () => {
      const call = server.invite(bob, await far.offer());
      await phone.waitForIncoming();
      await phone.decline();
      assert.equal((await call.final).status, 603);
      await phone.waitForNoCall();
    });

    it('is shown as missed when the caller gives up', async () => {
      const call = server.invite(bob, await far.offer());
      await phone.waitForIncoming();
      server.cancel(call.request);
      assert.equal((await call.final).status, 487);
      await phone.waitForNotice('Missed call from Robert');
    });

    it('is shown as answered elsewhere when another device took it', async () => {
      const call = server.invite(bob, await far.offer());
      await phone.waitForIncoming();
      server.cancel(call.request, 'SIP;cause=200;text="Call completed elsewhere"');
      await call.final;
      await phone.waitForNotice('Answered on another device');
    });

    it('offers a choice when it is the second one: hold the first, or end it', async () => {
      const first = server.invite(bob, await far.offer());
      await phone.waitForIncoming();
      await phone.answer();
      const answer = await first.final;
      await far.settle(answer.body.toString());
      server.acknowledge(answer);
      await phone.waitForState('In call');

      const other = new FarEnd(chromium, server.url, 900);
      try {
        const second = server.invite('"Carol" <sip:carol@localhost>', await other.offer());
        assert.equal(await phone.waitForIncoming(), 'Carol');
        server.onInvite = (served) => void accept(served);
        await phone.answer();
        const taken = await second.final;
        assert.equal(taken.status, 200);
        await other.settle(taken.body.toString());
        server.acknowledge(taken);
        await phone.waitForTone(900);
        await far.waitForSilence();
        await phone.page.click('text=Switch to Robert, on hold');
      } finally {
        await other.close();
      }
    });

    it('hears busy when two calls are there already', async () => {
      server.invite(bob, await far.offer());
      await phone.waitForIncoming();
      const second = server.invite('"Carol" <sip:carol@localhost>', await far.offer());
      assert.equal((await second.final).status, 486);
      assert.equal(await phone.page.innerText('#incoming-name'), 'Robert');
    });
  });

  it('runs under a strict Content-Security-Policy without a breach', async () => {
    await callAnswered();
    await phone.hangUp();
    await phone.waitForNotice('Call ended');
    assert.deepEqual(phone.problems, []);
  });

  it('fits a narrow telephone screen without scrolling sideways', async () => {
    await phone.page.setViewportSize({ width: 360, height: 640 });
    await callAnswered();
    const overflow = await phone.page.evaluate('document.documentElement.scrollWidth - window.innerWidth');
    assert.equal(overflow, 0);
  });

  it('says that the microphone is blocked when the person refused it', async () => {
    await phone.page.evaluate(
      "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'))",
    );
    await phone.signIn('alice', 'right');
    await phone.dial('600');
    await phone.waitForNotice('The microphone is blocked');
  });
});
