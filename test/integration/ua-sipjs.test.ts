import assert from 'node:assert/strict';
import { failure } from '../../sip/failure.js';
import { sdpA, sdpB } from '../support/scripted-browser.js';
import { UaGateway, type UaEndpoint } from '../support/ua-gateway.js';
import { reaches, SessionState, SipJsClient } from '../support/ua-sipjs-client.js';

describe('sip.js as client', () => {
  let gateway: UaGateway;
  let endpoint: UaEndpoint;
  let client: SipJsClient;

  const start = async (reliable = false) => {
    client = await SipJsClient.start('alice', gateway.url('alice'), { reliable });
  };
  beforeEach(async () => {
    gateway = await UaGateway.start();
    endpoint = gateway.endpoint('alice');
  });
  afterEach(async () => {
    await client.stop();
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

  it('calls, hears ringing and early media, is answered, hangs up', async () => {
    await start();
    const session = client.call({ earlyMedia: true });
    void session.invite();
    const { leg, sdp } = await endpoint.calls.first(() => true);
    assert.equal(sdp, sdpA);
    leg.progress(180, 'Ringing');
    leg.progress(183, 'Session Progress', sdpB);
    assert.equal(await leg.answer(sdpB), undefined);
    await reaches(session, SessionState.Established);
    await session.bye();
    await endpoint.notes.journal.first((event) => event === 'ended remote');
    await legsGone();
  });

  it('calls with 100rel: a 183 with SDP is acknowledged before the 200', async () => {
    await start(true);
    const session = client.call({ earlyMedia: true });
    void session.invite();
    const { leg } = await endpoint.calls.first(() => true);
    leg.progress(183, 'Session Progress', sdpB);
    const prack = endpoint.next('PRACK');
    const answered = leg.answer(sdpB);
    await prack;
    await answered;
    await reaches(session, SessionState.Established);
    leg.hangUp();
    await reaches(session, SessionState.Terminated);
  });

  it('calls without SDP: its answer comes in the ACK', async () => {
    await start();
    const session = client.call({ withoutSdp: true });
    void session.invite();
    const { leg, sdp } = await endpoint.calls.first(() => true);
    assert.equal(sdp, undefined);
    assert.equal(await leg.answer(sdpA), sdpB);
    await reaches(session, SessionState.Established);
    leg.hangUp();
    await reaches(session, SessionState.Terminated);
    await endpoint.next(200);
    await legsGone();
  });

  for (const refusal of [failure('callee.busy'), failure('callee.declined')]) {
    it(`calls and is refused with ${refusal.status}`, async () => {
      await start();
      const session = client.call();
      const status = new Promise((resolve) => {
        void session.invite({ requestDelegate: { onReject: ({ message }) => resolve(message.statusCode) } });
      });
      const { leg } = await endpoint.calls.first(() => true);
      const ack = endpoint.next('ACK');
      leg.reject(refusal);
      assert.equal(await status, refusal.status);
      await ack;
      await legsGone();
    });
  }

  it('cancels while it rings', async () => {
    await start();
    const session = client.call();
    void session.invite();
    const { leg } = await endpoint.calls.first(() => true);
    leg.progress(180, 'Ringing');
    await reaches(session, SessionState.Establishing);
    const ack = endpoint.next('ACK');
    void session.cancel();
    await endpoint.notes.journal.first((event) => event === 'ended remote');
    await reaches(session, SessionState.Terminated);
    await ack;
    await legsGone();
  });

  it('is called, rings, answers, is hung up', async () => {
    await start();
    const { leg, notes } = endpoint.invite(sdpA, [['Alert-Info', '<urn:alert:x>']]);
    const invitation = await client.invitations.first(() => true);
    assert.equal(invitation.remoteIdentity.displayName, 'The Caller');
    assert.equal(invitation.request.getHeader('Alert-Info'), '<urn:alert:x>');
    await invitation.progress();
    await notes.journal.first((event) => event === 'progress 180');
    void invitation.accept();
    await notes.journal.first((event) => event === 'answered 200');
    assert.equal(notes.answer?.sdp, sdpB);
    const ack = reaches(invitation, SessionState.Established);
    notes.answer.ack();
    await ack;
    const bye = endpoint.next(200);
    leg.hangUp();
    await reaches(invitation, SessionState.Terminated);
    await bye;
    await legsGone();
  });

  it('is called with 100rel: each reliable 183 gets its PRACK', async () => {
    await start(true);
    const { leg, notes } = endpoint.invite(sdpA);
    const invitation = await client.invitations.first(() => true);
    await invitation.progress({ rel100: true, statusCode: 183 });
    await notes.journal.first((event) => event === 'progress 183');
    assert.equal(notes.progresses.find(({ status }) => status === 183)?.sdp, sdpB);
    void invitation.accept();
    await notes.journal.first((event) => event === 'answered 200');
    notes.answer?.ack();
    leg.hangUp();
    await reaches(invitation, SessionState.Terminated);
  });

  it('is called without offer: it offers in its 200 and takes our answer', async () => {
    await start();
    const { leg, notes } = endpoint.invite(undefined);
    const invitation = await client.invitations.first(() => true);
    void invitation.accept();
    await notes.journal.first((event) => event === 'answered 200');
    assert.equal(notes.answer?.sdp, sdpA);
    notes.answer.ack(sdpB);
    await reaches(invitation, SessionState.Established);
    leg.hangUp();
    await reaches(invitation, SessionState.Terminated);
  });

  it('is called and refuses, is called and cancelled', async () => {
    await start();
    const refused = endpoint.invite(sdpA);
    await (await client.invitations.next()).reject({ statusCode: 486 });
    await refused.notes.journal.first((event) => event === 'failed 486');
    assert.equal(refused.notes.failure?.code, 'callee.busy');

    const coming = client.invitations.next();
    const cancelled = endpoint.invite(sdpA);
    const invitation = await coming;
    await invitation.progress();
    await cancelled.notes.journal.first((event) => event === 'progress 180');
    const terminated = endpoint.next(487);
    cancelled.leg.hangUp();
    await reaches(invitation, SessionState.Terminated);
    await terminated;
    await legsGone();
  });

  it('holds and resumes by re-INVITE; so do we; INFO both ways', async () => {
    await start();
    const session = client.call();
    void session.invite();
    const { leg } = await endpoint.calls.first(() => true);
    await leg.answer(sdpB);
    await reaches(session, SessionState.Established);
    const { notes } = endpoint;

    for (const hold of [true, false]) {
      client.holding = hold;
      const asked = notes.journal.next((event) => event === 'reoffer INVITE');
      const accepted = new Promise<void>((resolve) => {
        void session.invite({ requestDelegate: { onAccept: () => resolve() } });
      });
      await asked;
      const reoffer = notes.reoffers.at(-1);
      assert.equal(reoffer?.sdp?.includes('sendonly'), hold);
      await reoffer?.accept(sdpB);
      await accepted;
    }

    const ours = await leg.reoffer(sdpA);
    assert.equal(ours.sdp, sdpB);
    ours.ack();

    const info = await leg.request('INFO', { contentType: 'application/dtmf-relay', body: 'Signal=5' });
    assert.equal(info.status, 200);
    assert.deepEqual(client.infos.items, ['Signal=5']);
    const said = notes.journal.next((event) => event === 'request INFO');
    const answered = new Promise<void>((resolve) => {
      void session.info({
        requestOptions: {
          body: { contentDisposition: 'render', contentType: 'application/dtmf-relay', content: 'Signal=7' },
        },
        requestDelegate: { onAccept: () => resolve() },
      });
    });
    await said;
    assert.equal(notes.requests[0]?.body, 'Signal=7');
    notes.requests[0].respond(200);
    await answered;
    await session.bye();
    await notes.journal.first((event) => event === 'ended remote');
    await legsGone();
  });

  it('glares with our re-INVITE: both get 491 and the call lives on', async () => {
    await start();
    const session = client.call();
    void session.invite();
    const { leg } = await endpoint.calls.first(() => true);
    await leg.answer(sdpB);
    await reaches(session, SessionState.Established);
    // Both are written before either is read.
    const ours = leg.reoffer(sdpA);
    const theirs = new Promise((resolve) => {
      void session.invite({ requestDelegate: { onReject: ({ message }) => resolve(message.statusCode) } });
    });
    await assert.rejects(ours, { code: 'dialog.request_pending' });
    assert.equal(await theirs, 491);
    const again = await leg.reoffer(sdpA);
    again.ack();
    leg.hangUp();
    await reaches(session, SessionState.Terminated);
  });

  it('sends and takes MESSAGE outside a dialog', async () => {
    await start();
    const { Messager } = await import('sip.js/lib/api/index.js');
    const target = client.agent.configuration.uri;
    const accepted = new Promise<void>((resolve) => {
      void new Messager(client.agent, target, 'hello').message({
        requestDelegate: { onAccept: () => resolve() },
      });
    });
    const request = await endpoint.requests.first(() => true);
    assert.equal(request.method, 'MESSAGE');
    assert.equal(request.body, 'hello');
    request.respond(200);
    await accepted;
    await legsGone();
  });

  describe('on a lost socket', () => {
    it('while it rings: the answer given meanwhile arrives with the new socket', async () => {
      await start();
      const session = client.call();
      void session.invite();
      const { leg } = await endpoint.calls.first(() => true);
      leg.progress(180, 'Ringing');
      await reaches(session, SessionState.Establishing);
      endpoint.cut();
      const answered = leg.answer(sdpB);
      await client.disconnects.first(() => true);
      await client.agent.reconnect();
      await client.register();
      await answered;
      await reaches(session, SessionState.Established);
      leg.hangUp();
      await reaches(session, SessionState.Terminated);
    });

    it('while established: a BYE sent meanwhile arrives with the new socket', async () => {
      await start();
      const session = client.call();
      void session.invite();
      const { leg } = await endpoint.calls.first(() => true);
      await leg.answer(sdpB);
      await reaches(session, SessionState.Established);
      endpoint.cut();
      await client.disconnects.first(() => true);
      leg.hangUp();
      assert.equal(endpoint.core.sizes().unsent, 1);
      const ok = endpoint.next(200);
      await client.agent.reconnect();
      await reaches(session, SessionState.Terminated);
      await ok;
      await legsGone();
    });
  });
});
