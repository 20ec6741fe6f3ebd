import assert from 'node:assert/strict';
import type { IncomingCall } from '../../../sip/leg.js';
import { startEdgeFixture, type EdgeFixture } from '../../support/edge-fixture.js';
import { asResponse, type WsSipClient } from '../../support/ws-sip-client.js';

const sdp =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n';
const instanceId = '<urn:uuid:11111111-1111-4111-8111-111111111111>';
const otherInstanceId = '<urn:uuid:22222222-2222-4222-8222-222222222222>';
const number = 'sip:600@localhost';

describe('a call whose browser has lost its flow, among attackers who know its Call-ID, tags and instance-id', () => {
  let fixture: EdgeFixture;
  let victim: WsSipClient;
  /** To and tag of the dialog. */
  let to: string;

  beforeEach(async () => {
    const calls: IncomingCall[] = [];
    fixture = await startEdgeFixture({
      hooks: {
        incomingCall: (_endpoint, call) => {
          calls.push(call);
          call.leg.listen({ reoffer: () => undefined, request: () => undefined, ended: () => undefined });
        },
        request: (_endpoint, request) => request.respond(405),
      },
    });
    victim = await fixture.connect({ instanceId });
    await victim.register();
    const headers = [`To: <${number}>`, 'Content-Type: application/sdp'];
    victim.send(victim.request('INVITE', number, { headers, body: sdp }));
    await victim.next((text) => text.startsWith('SIP/2.0 100'));
    void calls[0]?.leg.answer(sdp);
    const answered = asResponse(
      await victim.next((text) => text.startsWith('SIP/2.0 200') && text.includes('INVITE')),
    );
    to = `To: ${answered.headers.get('to') ?? ''}`;
    victim.send(victim.request('ACK', number, { headers: [to], cseq: answered.cseq.number }));
    victim.socket.terminate();
    await fixture.events.seen('flowClosed');
  });

  afterEach(async () => {
    await fixture.close();
    assert.deepEqual(fixture.log.errors, []);
  });

  /** The call's BYE; gives the status of the answer, after a challenge if there is one. */
  const hangUp = async (by: WsSipClient): Promise<number> => {
    const named = [to, `From: <${victim.aor}>;tag=${victim.fromTag}`, `Call-ID: ${victim.callId}`];
    const headers = [...named, 'CSeq: 9 BYE'];
    const first = await by.transact(by.request('BYE', number, { headers }));
    if (first.status !== 401) return first.status;
    const authorization = by.authorize(first, 'BYE', number);
    return (await by.transact(by.request('BYE', number, { headers: [...headers, authorization] }))).status;
  };

  const isUntouched = (): void => {
    assert.equal(fixture.endpoints.sizes().dialogs, 1);
    assert.equal(fixture.events.of('endpointResumed').length, 0);
  };

  it('is not reached by another user, signed in or not, who shows the same instance-id', async () => {
    const bob = await fixture.connect({ user: 'bob', password: 'builder', instanceId });
    assert.equal((await bob.register()).status, 200);
    assert.equal(await hangUp(bob), 481);
    assert.equal(await hangUp(await fixture.connect({ user: 'bob', password: 'builder' })), 481);
    isUntouched();
  });

  it('is not reached by the same user name without the password', async () => {
    const guesser = await fixture.connect({ instanceId, password: 'guess' });
    assert.equal((await guesser.register()).status, 403);
    assert.equal(await hangUp(guesser), 403);
    isUntouched();
  });

  it('is not reached by the same user at another instance, nor without an instance-id', async () => {
    const other = await fixture.connect({ instanceId: otherInstanceId });
    assert.equal((await other.register()).status, 200);
    assert.equal(await hangUp(other), 481);
    assert.equal(await hangUp(await fixture.connect()), 481);
    isUntouched();
  });

  it('is gone on with by the same user with the same instance-id', async () => {
    const back = await fixture.connect({ instanceId });
    assert.equal((await back.register()).status, 200);
    assert.equal(fixture.events.of('endpointResumed').length, 1);
    assert.equal(await hangUp(back), 200);
    assert.equal(fixture.endpoints.sizes().dialogs, 0);
  });
});
