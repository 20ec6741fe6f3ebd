import assert from 'node:assert/strict';
import type { IncomingCall, OutOfDialogRequest } from '../../../sip/leg.js';
import { startEdgeFixture, type EdgeFixture, type EdgeFixtureOptions } from '../../support/edge-fixture.js';
import { asResponse, type WsSipClient } from '../../support/ws-sip-client.js';

const sdp =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n';

describe('the gates that a message passes', () => {
  let fixture: EdgeFixture;
  let calls: IncomingCall[];
  let requests: OutOfDialogRequest[];

  const open = async (options: EdgeFixtureOptions = {}): Promise<WsSipClient> => {
    calls = [];
    requests = [];
    fixture = await startEdgeFixture({
      hooks: {
        incomingCall: (_endpoint, call) => {
          calls.push(call);
          call.leg.listen({ reoffer: () => undefined, request: () => undefined, ended: () => undefined });
        },
        request: (_endpoint, request) => {
          requests.push(request);
          request.respond(202);
        },
      },
      ...options,
    });
    return fixture.connect();
  };

  const openSignedIn = async (options: EdgeFixtureOptions = {}): Promise<WsSipClient> => {
    const client = await open(options);
    await client.register();
    return client;
  };

  const inviteText = (client: WsSipClient, headers: readonly string[] = []): string =>
    client.request('INVITE', 'sip:600@localhost', {
      headers: ['To: <sip:600@localhost>', 'Content-Type: application/sdp', ...headers],
      body: sdp,
    });

  afterEach(async () => {
    await fixture.close();
    assert.deepEqual(fixture.log.errors, []);
    const left = Object.entries(fixture.sizes()).filter(([, size]) => size > 0);
    assert.deepEqual(left, []);
  });

  it('lets an INVITE of a signed-in flow through', async () => {
    const client = await openSignedIn();
    client.send(inviteText(client));
    await client.next((text) => text.startsWith('SIP/2.0 100'));
    assert.equal(calls[0]?.requestUri, 'sip:600@localhost');
    assert.equal(calls[0]?.sdp, sdp);
  });

  it('challenges an INVITE before sign-in and takes it with credentials, without a core before', async () => {
    const client = await open();
    const challenged = await client.transact(inviteText(client));
    assert.equal(challenged.status, 401);
    assert.deepEqual([fixture.endpoints.sizes().endpoints, calls.length], [0, 0]);
    client.send(
      client.request('ACK', 'sip:600@localhost', { headers: [`To: ${challenged.headers.get('to') ?? ''}`] }),
    );
    client.send(inviteText(client, [client.authorize(challenged, 'INVITE', 'sip:600@localhost')]));
    await client.next((text) => text.startsWith('SIP/2.0 100'));
    assert.equal(calls.length, 1);
    assert.deepEqual([fixture.endpoints.sizes().endpoints, fixture.location.size], [1, 0]);
    assert.equal(fixture.events.of('messageDropped')[0]?.cause, 'ack_unattached');
  });

  it('answers 403 to an INVITE, before sign-in, with a wrong password', async () => {
    const client = await open();
    const challenged = await client.transact(inviteText(client));
    const authorization = client.authorize(challenged, 'INVITE', 'sip:600@localhost', { password: 'guess' });
    assert.equal((await client.transact(inviteText(client, [authorization]))).status, 403);
  });

  for (const from of ['<sip:bob@localhost>', '<sip:alice@localhost.evil.example>', '<tel:+15551230000>']) {
    it(`answers 403 to a request from ${from} when alice has signed in`, async () => {
      const client = await openSignedIn();
      const response = await client.transact(inviteText(client, [`From: ${from};tag=1`]));
      assert.equal(response.status, 403);
      assert.equal(calls.length, 0);
      assert.equal(fixture.events.of('messageRefused')[0]?.failure.code, 'auth.identity');
    });
  }

  it('answers 404 to a request from a domain that is not served', async () => {
    const client = await open();
    const stranger = inviteText(client, ['From: <sip:alice@elsewhere.example>;tag=1']);
    assert.equal((await client.transact(stranger)).status, 404);
  });

  it('takes its own user in another spelling', async () => {
    const client = await openSignedIn();
    client.send(inviteText(client, ['From: "Alice" <sip:%61lice@LOCALHOST;transport=ws>;tag=1']));
    await client.next((text) => text.startsWith('SIP/2.0 100'));
    assert.equal(calls.length, 1);
  });

  it('lets tel: be called', async () => {
    const client = await openSignedIn();
    client.send(client.request('INVITE', 'tel:+15551230000', { headers: ['To: <tel:+15551230000>'] }));
    await client.next((text) => text.startsWith('SIP/2.0 100'));
    assert.equal(calls[0]?.requestUri, 'tel:+15551230000');
  });

  it('answers 481 to CANCEL without a transaction, signed in or not, and never challenges it', async () => {
    const client = await open();
    assert.equal((await client.transact(client.request('CANCEL', 'sip:600@localhost'))).status, 481);
    await client.register();
    assert.equal((await client.transact(client.request('CANCEL', 'sip:600@localhost'))).status, 481);
  });

  it('cancels no INVITE of another flow', async () => {
    const client = await openSignedIn();
    const invite = inviteText(client);
    client.send(invite);
    await client.next((text) => text.startsWith('SIP/2.0 100'));
    const thief = await fixture.connect({ user: 'bob', password: 'builder' });
    await thief.register();
    const cancel = invite
      .replace('INVITE sip', 'CANCEL sip')
      .replace(/CSeq: (\d+) INVITE/, 'CSeq: $1 CANCEL');
    const [head = ''] = cancel.replace(/Content-\w+: .*\r\n/g, '').split('\r\n\r\n');
    assert.equal((await thief.transact(`${head}\r\nContent-Length: 0\r\n\r\n`)).status, 481);
    assert.equal(fixture.endpoints.sizes().legs, 1);
  });

  it('never answers ACK, however wrong', async () => {
    const client = await openSignedIn();
    client.send(client.request('ACK', 'sip:600@localhost', { headers: ['Max-Forwards: 0'] }));
    client.send(client.request('ACK', 'sip:600@localhost', { headers: ['CSeq: 1 INVITE'] }));
    client.send(client.request('ACK', 'sip:600@localhost'));
    const since = client.received.length;
    await client.transact(client.request('OPTIONS', 'sip:localhost'));
    assert.equal(client.received.length, since + 1);
    assert.equal(fixture.events.of('messageDropped').length, 2);
  });

  it('drops responses of a flow that has not signed in and unknown ones of one that has', async () => {
    const client = await open();
    const response = client
      .request('OPTIONS', 'sip:localhost')
      .replace('OPTIONS sip:localhost SIP/2.0', 'SIP/2.0 200 OK');
    client.send(response);
    assert.equal((await fixture.events.seen('messageDropped'))[0]?.cause, 'response_unattached');
    await client.register();
    client.send(response);
    assert.equal((await client.transact(client.request('OPTIONS', 'sip:localhost'))).status, 200);
  });

  it('answers OPTIONS with what it can do, without credentials', async () => {
    const client = await open();
    const response = await client.transact(client.request('OPTIONS', 'sip:localhost'));
    assert.equal(response.status, 200);
    assert.match(response.headers.get('allow') ?? '', /INVITE.*UPDATE/);
    assert.equal(response.headers.get('accept'), 'application/sdp');
    assert.equal(fixture.endpoints.sizes().endpoints, 0);
  });

  it('challenges OPTIONS when anonymous ones are not wanted', async () => {
    const client = await open({ anonymousOptions: false });
    assert.equal((await client.transact(client.request('OPTIONS', 'sip:localhost'))).status, 401);
    await client.register();
    assert.equal((await client.transact(client.request('OPTIONS', 'sip:localhost'))).status, 200);
  });

  it('hands MESSAGE on and answers what it is told', async () => {
    const client = await openSignedIn();
    const headers = ['To: <sip:bob@localhost>', 'Content-Type: text/plain'];
    const response = await client.transact(
      client.request('MESSAGE', 'sip:bob@localhost', { headers, body: 'hello' }),
    );
    assert.equal(response.status, 202);
    assert.deepEqual([requests[0]?.method, requests[0]?.body], ['MESSAGE', 'hello']);
  });

  const refusals: [status: number, method: string, headers: string[]][] = [
    [481, 'BYE', ['To: <sip:bob@localhost>;tag=nothing']],
    [481, 'UPDATE', ['To: <sip:bob@localhost>;tag=nothing']],
    [481, 'UPDATE', []],
    [501, 'FROBNICATE', []],
    [400, 'INVITE', ['CSeq: 1 BYE']],
    [420, 'INVITE', ['Require: teleportation']],
    [483, 'INVITE', ['Max-Forwards: 0']],
    [415, 'INVITE', ['Content-Type: text/html', 'X-Body: yes']],
    [400, 'INVITE', ['Contact: nonsense']],
  ];
  for (const [status, method, headers] of refusals) {
    it(`answers ${status} to ${method} with ${headers.join(', ') || 'nothing special'}`, async () => {
      const client = await openSignedIn();
      const body = headers.includes('X-Body: yes') ? '<p>' : '';
      assert.equal(
        (await client.transact(client.request(method, 'sip:x@localhost', { headers, body }))).status,
        status,
      );
      assert.equal(calls.length, 0);
    });
  }

  it('challenges an in-dialog request of a flow that has not signed in, and attaches it by its credentials', async () => {
    const client = await open();
    const headers = ['To: <sip:bob@localhost>;tag=remote', 'From: <sip:+15551230000@localhost>;tag=local'];
    const challenged = await client.transact(client.request('BYE', 'sip:bob@localhost', { headers }));
    assert.equal(challenged.status, 401);
    const authorization = client.authorize(challenged, 'BYE', 'sip:bob@localhost');
    const bye = client.request('BYE', 'sip:bob@localhost', { headers: [...headers, authorization] });
    assert.equal((await client.transact(bye)).status, 481);
    assert.equal(fixture.endpoints.sizes().endpoints, 1);
  });

  it('lets a client without instance-id hang up its call over a new socket, and nobody else', async () => {
    const client = await openSignedIn();
    client.send(inviteText(client));
    await client.next((text) => text.startsWith('SIP/2.0 100'));
    void calls[0]?.leg.answer(sdp);
    const answer = asResponse(
      await client.next((text) => text.startsWith('SIP/2.0 200') && text.includes('INVITE')),
    );
    const headers = [`To: ${answer.headers.get('to') ?? ''}`];
    client.send(client.request('ACK', 'sip:600@localhost', { headers, cseq: answer.cseq.number }));
    await client.close();
    await fixture.events.seen('flowClosed');
    assert.equal(fixture.endpoints.sizes().dialogs, 1);

    const hangUp = async (by: WsSipClient): Promise<number> => {
      const named = [
        ...headers,
        `From: <${client.aor}>;tag=${client.fromTag}`,
        `Call-ID: ${client.callId}`,
        'CSeq: 9 BYE',
      ];
      const challenged = await by.transact(by.request('BYE', 'sip:600@localhost', { headers: named }));
      assert.equal(challenged.status, 401);
      const authorization = by.authorize(challenged, 'BYE', 'sip:600@localhost');
      return (
        await by.transact(by.request('BYE', 'sip:600@localhost', { headers: [...named, authorization] }))
      ).status;
    };
    assert.equal(await hangUp(await fixture.connect({ user: 'bob', password: 'builder' })), 481);
    assert.equal(await hangUp(await fixture.connect({ password: 'guess' })), 403);
    assert.equal(fixture.endpoints.sizes().dialogs, 1);
    assert.equal(await hangUp(await fixture.connect()), 200);
    assert.equal(fixture.endpoints.sizes().dialogs, 0);
    assert.equal(fixture.events.of('endpointResumed').length, 1);
  });

  it('answers 503 with Retry-After to what begins something while draining, and goes on with calls', async () => {
    const client = await openSignedIn();
    client.send(inviteText(client));
    await client.next((text) => text.startsWith('SIP/2.0 100'));
    fixture.edge.drain();
    for (const text of [client.registerText(), inviteText(client)]) {
      const response = await client.transact(text);
      assert.equal(response.status, 503);
      assert.ok(response.headers.get('retry-after'));
    }
    assert.equal(fixture.endpoints.sizes().legs, 1);
    calls[0]?.leg.hangUp();
    await client.next((text) => text.startsWith('SIP/2.0 487'));
  });

  it('lets only who has a call come back while draining, and closes the flow when the call is over', async () => {
    await open();
    const client = await fixture.connect({ instanceId: '<urn:uuid:of-this-page>' });
    await client.register();
    client.send(inviteText(client));
    await client.next((text) => text.startsWith('SIP/2.0 100'));
    client.socket.terminate();
    await fixture.events.seen('flowClosed');
    fixture.edge.drain();
    const stranger = await fixture.connect({ user: 'bob', password: 'builder' });
    assert.equal((await stranger.register()).status, 503);
    const otherPage = await fixture.connect({ instanceId: '<urn:uuid:of-another-page>' });
    const refused = await otherPage.register();
    assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '5']);
    const back = await fixture.connect(client.identity);
    assert.equal((await back.register()).status, 200);
    assert.equal(fixture.events.of('endpointResumed').length, 1);
    calls[0]?.leg.hangUp();
    await back.next((text) => text.startsWith('SIP/2.0 487'));
    for (const { closed } of [back, stranger, otherPage]) assert.equal((await closed).code, 1001);
    await assert.rejects(fixture.connect(), /503/);
  });

  it('overwrites what the client claims as received and keeps its other Via values', async () => {
    const client = await open();
    const via =
      'Via: SIP/2.0/WS x.invalid;branch=z9hG4bKa;received=6.6.6.6, SIP/2.0/WS y.invalid;branch=z9hG4bKb';
    const response = await client.transact(client.request('OPTIONS', 'sip:localhost', { headers: [via] }));
    assert.equal(
      response.headers.get('via')?.replaceAll(' ', ''),
      'SIP/2.0/WSx.invalid;branch=z9hG4bKa;received=127.0.0.1,SIP/2.0/WSy.invalid;branch=z9hG4bKb',
    );
  });
});
