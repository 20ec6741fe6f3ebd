import assert from 'node:assert/strict';
import { passwordOf, startGateway, type Gateway, type GatewayOptions } from '../../support/gateway.js';
import { idle } from '../../support/idle.js';
import { requirePeer } from '../../support/peers.js';
import { rtpPacket } from '../../support/rtp-phone.js';
import { Rtpengine } from '../../support/rtpengine.js';
import { WebrtcPeer } from '../../support/webrtc-peer.js';
import { acknowledge, answer, inDialog, nextRequest } from '../../support/ws-call.js';
import { asResponse, WsSipClient } from '../../support/ws-sip-client.js';

/** Private and public candidates of one end, as a browser at home has them. */
const candidates = (mark: string): string =>
  [
    'v=0',
    `o=${mark} 1 1 IN IP4 127.0.0.1`,
    's=-',
    't=0 0',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111',
    'c=IN IP4 0.0.0.0',
    'a=rtpmap:111 opus/48000/2',
    'a=candidate:1 1 udp 2122260223 192.168.1.20 50000 typ host',
    'a=candidate:2 1 udp 1686052607 203.0.113.20 50000 typ srflx raddr 192.168.1.20 rport 50000',
    '',
  ].join('\r\n');

describe('browser_to_browser', () => {
  let gateway: Gateway;
  let alice: WsSipClient;
  let bob: WsSipClient;
  let mediaServer: Rtpengine | undefined;
  const peers: WebrtcPeer[] = [];

  const peer = (): WebrtcPeer => {
    const made = new WebrtcPeer();
    peers.push(made);
    return made;
  };

  const begin = async (options: GatewayOptions): Promise<void> => {
    gateway = await startGateway(options);
    const client = async (user: string): Promise<WsSipClient> => {
      const made = await WsSipClient.connect(gateway.wsUrl, { user, password: passwordOf(user) });
      await made.register();
      return made;
    };
    [alice, bob] = [await client('alice'), await client('bob')];
  };

  afterEach(async () => {
    for (const one of peers.splice(0)) one.close();
    await alice.close();
    await bob.close();
    await gateway.close();
    await mediaServer?.stop();
    mediaServer = undefined;
  });

  const call = async (offer: string, answerTo: (offer: string) => Promise<string>) => {
    const headers = ['To: <sip:bob@localhost>', 'Content-Type: application/sdp'];
    const since = bob.received.length;
    alice.send(alice.request('INVITE', 'sip:bob@localhost', { headers, body: offer }));
    const invite = await nextRequest(bob, 'INVITE', since);
    const told = invite.body.toString();
    answer(bob, invite, 200, { sdp: await answerTo(told) });
    const connected = asResponse(await alice.next((text) => /^SIP\/2.0 200[^]*CSeq: \d+ INVITE/.test(text)));
    acknowledge(alice, connected);
    await nextRequest(bob, 'ACK', since);
    const hangUp = async (): Promise<void> => {
      const bye = alice.transact(inDialog(alice, 'BYE', connected));
      answer(bob, await nextRequest(bob, 'BYE', since), 200);
      assert.equal((await bye).status, 200);
      await idle(gateway);
    };
    return { told, answered: connected.body.toString(), hangUp };
  };

  /** Calls, and sends a packet each way. */
  const carry = async () => {
    const [caller, callee] = [peer(), peer()];
    const made = await call(await caller.offer(), (offer) => callee.answer(offer));
    caller.takeAnswer(made.answered);
    await Promise.all([caller.reached('open'), callee.reached('open')]);
    for (const [from, to, words] of [
      [caller, callee, 'there'],
      [callee, caller, 'and back'],
    ] as const) {
      let sequence = 0;
      // The engine's side may open a moment later: what comes before is lost, as with any RTP.
      const timer = setInterval(() => from.send(rtpPacket(111, (sequence += 1), words)), 5);
      assert.equal((await to.packet(1)).subarray(12).toString(), words);
      clearInterval(timer);
    }
    return made;
  };

  it('direct: descriptions pass untouched', async () => {
    await begin({});
    const { told, answered, hangUp } = await call(candidates('alice'), async () => candidates('bob'));
    assert.equal(told, candidates('alice'));
    assert.equal(answered, candidates('bob'));
    await hangUp();
  });

  it('direct: with the filter private candidates do not pass, public ones do', async () => {
    await begin({ filterPrivateCandidates: true });
    const { told, answered, hangUp } = await call(candidates('alice'), async () => candidates('bob'));
    for (const sdp of [told, answered]) {
      assert.doesNotMatch(sdp, /192\.168/);
      assert.match(sdp, /^a=candidate:2 1 udp 1686052607 203\.0\.113\.20 50000 typ srflx raddr 0\.0\.0\.0/m);
    }
    await hangUp();
  });

  it("anchored: the relay is between them, and neither learns the other's addresses", async () => {
    await begin({ browserToBrowser: 'anchored' });
    const { told, answered, hangUp } = await carry();
    assert.equal(gateway.app.inspect()['media_sessions'], 1);
    assert.equal(gateway.app.inspect()['direct_media_sessions'], 0);
    for (const sdp of [told, answered]) assert.match(sdp, /^m=audio 21\d\d\d /m);
    await hangUp();
    assert.equal(gateway.app.inspect()['media_sessions'], 0);
  });

  it('anchored: rtpengine is between them', async function () {
    mediaServer = await Rtpengine.start(requirePeer(this, 'rtpengine'));
    const instances = [{ address: mediaServer.address, weight: 1 }];
    await begin({ browserToBrowser: 'anchored', media: { engine: 'rtpengine', instances } });
    const { hangUp } = await carry();
    assert.equal(await mediaServer.calls(), 1);
    await hangUp();
    assert.equal(await mediaServer.calls(), 0);
  });
});
