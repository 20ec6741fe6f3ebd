import assert from 'node:assert/strict';
import { failure } from '../../sip/failure.js';
import { sdpA, sdpB } from '../support/scripted-browser.js';
import { UaGateway, type UaEndpoint } from '../support/ua-gateway.js';
import { happens, JsSipClient, media } from '../support/ua-jssip-client.js';

describe('JsSIP as client', () => {
  let gateway: UaGateway;
  let endpoint: UaEndpoint;
  let client: JsSipClient;

  beforeEach(async () => {
    gateway = await UaGateway.start();
    endpoint = gateway.endpoint('alice');
    client = await JsSipClient.start('alice', gateway.url('alice'));
  });
  afterEach(async () => {
    client.stop();
    await gateway.close();
  });
  const legsGone = async () => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(endpoint.core.sizes(), {
      transactions: 0,
      dialogs: 0,
      legs: 0,
      subscriptions: 0,
      unsent: 0,
    });
  };
  const callAndAnswer = async () => {
    const session = client.call();
    const confirmed = happens(session, 'confirmed');
    const { leg } = await endpoint.calls.first(() => true);
    await leg.answer(sdpB);
    await confirmed;
    return { session, leg };
  };

  it('calls, hears ringing and early media, is answered with its session timer, hangs up', async () => {
    const session = client.call();
    const ringing = happens(session, 'progress');
    const confirmed = happens(session, 'confirmed');
    const { leg, headers } = await endpoint.calls.first(() => true);
    assert.equal(headers.get('session-expires'), '90');
    leg.progress(180, 'Ringing');
    await ringing;
    leg.progress(183, 'Session Progress', sdpB);
    await leg.answer(sdpB);
    await confirmed;
    assert.match(
      endpoint.said.items.at(-1) ?? '',
      /^SIP\/2\.0 200 OK\r\n[^]*Session-Expires: 90;refresher=uac\r\n/,
    );
    session.terminate();
    await endpoint.notes.journal.first((event) => event === 'ended remote');
    await legsGone();
  });

  it('refreshes its session timer by UPDATE, which nobody else hears of', async () => {
    const { session, leg } = await callAndAnswer();
    const answered = endpoint.said.next((text) => text.includes('CSeq: ') && text.includes(' UPDATE\r\n'));
    session._sendUpdate();
    const answer = await answered;
    assert.match(answer, /^SIP\/2\.0 200 /);
    assert.match(answer, /\r\nSession-Expires: 90;refresher=uac\r\n/);
    assert.deepEqual(endpoint.notes.events, []);
    const ended = happens(session, 'ended');
    leg.hangUp();
    await ended;
  });

  for (const refusal of [failure('callee.busy'), failure('callee.declined'), failure('route.no_match')]) {
    it(`calls and is refused with ${refusal.status}`, async () => {
      const session = client.call();
      const failed = happens(session, 'failed');
      const { leg } = await endpoint.calls.first(() => true);
      const ack = endpoint.next('ACK');
      leg.reject(refusal);
      assert.equal((await failed).originator, 'remote');
      await ack;
      await legsGone();
    });
  }

  it('cancels while it rings', async () => {
    const session = client.call();
    const ringing = happens(session, 'progress');
    const { leg } = await endpoint.calls.first(() => true);
    leg.progress(180, 'Ringing');
    await ringing;
    const ack = endpoint.next('ACK');
    session.terminate({ status_code: 487, reason_phrase: 'Changed my mind' });
    await endpoint.notes.journal.first((event) => event === 'ended remote');
    assert.match(endpoint.notes.end?.reason ?? '', /cause=487/);
    await ack;
    await legsGone();
  });

  it('is called, rings, answers, hangs up', async () => {
    const { notes } = endpoint.invite(sdpA);
    const session = await client.sessions.first(() => true);
    await notes.journal.first((event) => event === 'progress 180');
    const confirmed = happens(session, 'confirmed');
    session.answer(media);
    await notes.journal.first((event) => event === 'answered 200');
    assert.equal(notes.answer?.sdp, sdpB);
    notes.answer.ack();
    await confirmed;
    session.terminate();
    await notes.journal.first((event) => event === 'ended remote');
    await legsGone();
  });

  it('is called without offer: it offers in its 200 and takes our answer', async () => {
    const { leg, notes } = endpoint.invite(undefined);
    const session = await client.sessions.first(() => true);
    const confirmed = happens(session, 'confirmed');
    session.answer(media);
    await notes.journal.first((event) => event === 'answered 200');
    assert.equal(notes.answer?.sdp, sdpA);
    notes.answer.ack(sdpB);
    await confirmed;
    const ended = happens(session, 'ended');
    leg.hangUp();
    await ended;
  });

  it('is called and refuses, is called and cancelled', async () => {
    const refused = endpoint.invite(sdpA);
    (await client.sessions.next()).terminate({ status_code: 486 });
    await refused.notes.journal.first((event) => event === 'failed 486');

    const coming = client.sessions.next();
    const cancelled = endpoint.invite(sdpA);
    const session = await coming;
    const failed = happens(session, 'failed');
    await cancelled.notes.journal.first((event) => event === 'progress 180');
    const terminated = endpoint.next(487);
    cancelled.leg.hangUp();
    assert.equal((await failed).cause, 'Canceled');
    await terminated;
    await legsGone();
  });

  it('holds by re-INVITE and resumes by UPDATE; we re-INVITE; INFO both ways', async () => {
    const { session, leg } = await callAndAnswer();
    const { notes } = endpoint;
    for (const method of ['INVITE', 'UPDATE']) {
      const asked = notes.journal.next((event) => event === `reoffer ${method}`);
      const done = new Promise<void>((resolve) => {
        const options = { useUpdate: method === 'UPDATE' };
        if (method === 'INVITE') session.hold(options, resolve);
        else session.unhold(options, resolve);
      });
      await asked;
      const reoffer = notes.reoffers.at(-1);
      assert.equal(reoffer?.sdp?.includes('sendonly'), method === 'INVITE');
      await reoffer?.accept(sdpB);
      await done;
    }
    const ours = await leg.reoffer(sdpA);
    assert.equal(ours.sdp, sdpB);
    ours.ack();

    const informed = happens(session, 'newInfo');
    assert.equal((await leg.request('INFO', { contentType: 'text/plain', body: 'hi' })).status, 200);
    await informed;
    const asked = notes.journal.next((event) => event === 'request INFO');
    session.sendInfo('text/plain', 'hello');
    await asked;
    assert.equal(notes.requests[0]?.body, 'hello');
    notes.requests[0].respond(200);
    session.terminate();
    await notes.journal.first((event) => event === 'ended remote');
    await legsGone();
  });

  it('loses its socket while established, comes back, and is hung up', async () => {
    const { session, leg } = await callAndAnswer();
    const registered = new Promise<void>((resolve) => client.agent.on('registered', () => resolve()));
    endpoint.cut();
    const ended = happens(session, 'ended');
    leg.hangUp();
    await registered;
    await ended;
    await endpoint.heard.first((each) => each.kind === 'response' && each.cseq.method === 'BYE');
    await legsGone();
  });

  it('fails its call by itself when it loses its socket while it rings; ours ends with the endpoint', async () => {
    const session = client.call();
    const ringing = happens(session, 'progress');
    const { leg } = await endpoint.calls.first(() => true);
    leg.progress(180, 'Ringing');
    await ringing;
    const failed = happens(session, 'failed');
    endpoint.cut();
    await failed;
    endpoint.core.dispose();
    assert.equal(endpoint.notes.end?.failure?.code, 'endpoint.lost');
    await legsGone();
  });
});
