import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { SipFailure } from '../../../sip/failure.js';
import type { MediaSession } from '../../../sip/media/media-engine.js';
import type { RelayEngine } from '../../../sip/media/relay/relay-engine.js';
import { FakeClock } from '../../support/fake-clock.js';
import {
  attribute,
  audioPort,
  endReached,
  originVersion,
  relayOnLoopback,
  somePorts,
  TimeoutRecord,
  until,
  withOtherFingerprint,
} from '../../support/media-session.js';
import { receiverReport, RtpPhone, rtpPacket } from '../../support/rtp-phone.js';
import { WebrtcPeer } from '../../support/webrtc-peer.js';

const plain = { profile: 'plain', codecs: ['PCMU', 'PCMA'] } as const;
const pcmuWithEvents = ['a=rtpmap:101 telephone-event/8000', 'a=fmtp:101 0-15'];

describe('embedded relay', () => {
  let relay: RelayEngine;
  let session: MediaSession;
  let timeouts: TimeoutRecord;
  const open: { close(): void }[] = [];

  const browser = (): WebrtcPeer => {
    const peer = new WebrtcPeer();
    open.push(peer);
    return peer;
  };
  const phone = async (address?: string): Promise<RtpPhone> => {
    const started = await RtpPhone.start(address);
    open.push(started);
    return started;
  };

  beforeEach(() => {
    relay = relayOnLoopback();
    timeouts = new TimeoutRecord();
    session = relay.createSession('c_test', timeouts);
  });

  afterEach(async () => {
    for (const one of open.splice(0)) one.close();
    await relay.close();
    assert.deepEqual(relay.sizes(), { sessions: 0, ends: 0, portPairs: 0 });
    assert.deepEqual(timeouts.timeouts, []);
  });

  /** Resolves when media can flow between the peer and the relay's end, both ways. */
  const connected = async (peer: WebrtcPeer, endId: string): Promise<void> => {
    await Promise.all([peer.reached('open'), endReached(endId, 'connected')]);
  };

  /** A browser calls a phone; resolves when media can flow. */
  const browserCallsPhone = async (
    peer: WebrtcPeer,
    callee: RtpPhone,
  ): Promise<{ offer: string; toPhone: string; toBrowser: string }> => {
    session.addEnd('l_browser', { profile: 'webrtc' });
    session.addEnd('l_phone', plain);
    const offer = await peer.offer();
    const toPhone = await session.offer('l_browser', 'l_phone', offer);
    const toBrowser = await session.answer('l_phone', 'l_browser', callee.sdp('0 101', pcmuWithEvents));
    peer.takeAnswer(toBrowser);
    await connected(peer, 'l_browser');
    return { offer, toPhone, toBrowser };
  };

  describe('when a browser calls a phone', () => {
    it('carries audio both ways with SSRC, sequence and timestamp untouched', async () => {
      const peer = browser();
      const callee = await phone();
      const { toPhone } = await browserCallsPhone(peer, callee);
      peer.send(rtpPacket(0, 7, 'from the browser'));
      assert.deepEqual(await callee.packet(1), rtpPacket(0, 7, 'from the browser'));
      callee.send(rtpPacket(0, 9, 'from the phone', 0xcafe), audioPort(toPhone));
      assert.deepEqual(await peer.packet(1), rtpPacket(0, 9, 'from the phone', 0xcafe));
    });

    it('rewrites the payload type of telephone-events and keeps their marker bit', async () => {
      const peer = browser();
      const callee = await phone();
      const { toPhone } = await browserCallsPhone(peer, callee);
      peer.send(rtpPacket(126 | 0x80, 1, 'digit'));
      assert.deepEqual(await callee.packet(1), rtpPacket(101 | 0x80, 1, 'digit'));
      callee.send(rtpPacket(101, 1, 'digit'), audioPort(toPhone));
      assert.deepEqual(await peer.packet(1), rtpPacket(126, 1, 'digit'));
    });

    it('forwards RTCP both ways', async () => {
      const peer = browser();
      const callee = await phone();
      const { toPhone } = await browserCallsPhone(peer, callee);
      peer.send(receiverReport(1));
      assert.deepEqual(await callee.report(1), receiverReport(1));
      callee.sendReport(receiverReport(2), audioPort(toPhone) + 1);
      assert.deepEqual(await peer.packet(1), receiverReport(2));
    });

    it('drops payload types that were not agreed on, and what is not RTP, and counts them', async () => {
      const peer = browser();
      const callee = await phone();
      const { toPhone } = await browserCallsPhone(peer, callee);
      const port = audioPort(toPhone);
      callee.send(rtpPacket(8, 1, 'PCMA was not answered'), port);
      callee.send(Buffer.from('not RTP at all'), port);
      callee.send(Buffer.alloc(0), port);
      callee.send(Buffer.from([0x80, 0]), port);
      callee.send(rtpPacket(0, 2, 'good'), port);
      assert.deepEqual(await peer.packet(1), rtpPacket(0, 2, 'good'));
      const stats = session.stats().find((end) => end.endId === 'l_phone');
      assert.equal(stats?.packetsReceived, 5);
      assert.equal(stats?.packetsDropped, 4);
      assert.equal(stats?.codec, 'PCMU');
    });

    it('lets a phone change its SSRC in the middle of the call', async () => {
      const peer = browser();
      const callee = await phone();
      const port = audioPort((await browserCallsPhone(peer, callee)).toPhone);
      callee.send(rtpPacket(0, 1, 'first', 111), port);
      await peer.packet(1);
      callee.send(rtpPacket(0, 1, 'second', 222), port);
      assert.deepEqual(await peer.packet(2), rtpPacket(0, 1, 'second', 222));
    });

    it('replies to the same answer with the same SDP, in 18x and 200', async () => {
      const peer = browser();
      const callee = await phone();
      session.addEnd('l_browser', { profile: 'webrtc' });
      session.addEnd('l_phone', plain);
      await session.offer('l_browser', 'l_phone', await peer.offer());
      const answer = callee.sdp('0');
      const early = await session.answer('l_phone', 'l_browser', answer);
      peer.takeAnswer(early);
      await connected(peer, 'l_browser');
      assert.equal(await session.answer('l_phone', 'l_browser', answer), early);
      peer.send(rtpPacket(0, 1));
      await callee.packet(1);
    });

    it('moves the media when the final answer names another port than the early one', async () => {
      const peer = browser();
      const [announcement, callee] = [await phone(), await phone()];
      const { toBrowser } = await browserCallsPhone(peer, announcement);
      const final = await session.answer('l_phone', 'l_browser', callee.sdp('0 101', pcmuWithEvents));
      assert.equal(final, toBrowser);
      peer.send(rtpPacket(0, 1));
      await callee.packet(1);
      assert.equal(announcement.packets.length, 0);
    });
  });

  it('carries a call from a phone to a browser', async () => {
    const peer = browser();
    const caller = await phone();
    session.addEnd('l_phone', plain);
    session.addEnd('l_browser', { profile: 'webrtc' });
    const toBrowser = await session.offer('l_phone', 'l_browser', caller.sdp('8 0 101', pcmuWithEvents));
    assert.match(toBrowser, /^a=setup:actpass\r$/m);
    const toPhone = await session.answer('l_browser', 'l_phone', await peer.answer(toBrowser));
    await connected(peer, 'l_browser');
    peer.send(rtpPacket(8, 1, 'from the browser'));
    assert.deepEqual(await caller.packet(1), rtpPacket(8, 1, 'from the browser'));
    caller.send(rtpPacket(8, 1, 'from the phone'), audioPort(toPhone));
    assert.deepEqual(await peer.packet(1), rtpPacket(8, 1, 'from the phone'));
  });

  it('carries a late offer: the called phone offers, the calling browser answers', async () => {
    const peer = browser();
    const callee = await phone();
    session.addEnd('l_browser', { profile: 'webrtc' });
    session.addEnd('l_phone', plain);
    const toBrowser = await session.offer('l_phone', 'l_browser', callee.sdp('0 101', pcmuWithEvents));
    const toPhone = await session.answer('l_browser', 'l_phone', await peer.answer(toBrowser));
    await connected(peer, 'l_browser');
    peer.send(rtpPacket(0, 1, 'up'));
    assert.deepEqual(await callee.packet(1), rtpPacket(0, 1, 'up'));
    callee.send(rtpPacket(0, 1, 'down'), audioPort(toPhone));
    assert.deepEqual(await peer.packet(1), rtpPacket(0, 1, 'down'));
  });

  it('anchors a call between two browsers', async () => {
    const [caller, callee] = [browser(), browser()];
    session.addEnd('l_caller', { profile: 'webrtc' });
    session.addEnd('l_callee', { profile: 'webrtc' });
    const answer = await callee.answer(await session.offer('l_caller', 'l_callee', await caller.offer()));
    caller.takeAnswer(await session.answer('l_callee', 'l_caller', answer));
    await Promise.all([connected(caller, 'l_caller'), connected(callee, 'l_callee')]);
    caller.send(rtpPacket(111, 1, 'there'));
    assert.deepEqual(await callee.packet(1), rtpPacket(111, 1, 'there'));
    callee.send(rtpPacket(111, 1, 'and back'));
    assert.deepEqual(await caller.packet(1), rtpPacket(111, 1, 'and back'));
  });

  it('carries a call between two phones that number a codec differently', async () => {
    const [caller, callee] = [await phone(), await phone()];
    session.addEnd('l_caller', { profile: 'plain' });
    session.addEnd('l_callee', { profile: 'plain' });
    const offer = caller.sdp('100', ['a=rtpmap:100 opus/48000/2']);
    const toCallee = await session.offer('l_caller', 'l_callee', offer);
    const answer = callee.sdp('110', ['a=rtpmap:110 opus/48000/2']);
    const toCaller = await session.answer('l_callee', 'l_caller', answer);
    caller.send(rtpPacket(100, 1), audioPort(toCaller));
    assert.deepEqual(await callee.packet(1), rtpPacket(110, 1));
    callee.send(rtpPacket(110, 1), audioPort(toCallee));
    assert.deepEqual(await caller.packet(1), rtpPacket(100, 1));
  });

  describe('when two phones are called at once', () => {
    it('gives the media to the one that answered last', async () => {
      const peer = browser();
      const [early, winner] = [await phone(), await phone()];
      const { offer, toPhone } = await browserCallsPhone(peer, early);
      session.addEnd('l_winner', plain);
      const toWinner = await session.offer('l_browser', 'l_winner', offer);
      await session.answer('l_winner', 'l_browser', winner.sdp('0 101', pcmuWithEvents));
      peer.send(rtpPacket(0, 1));
      await winner.packet(1);
      early.send(rtpPacket(0, 1, 'too late'), audioPort(toPhone));
      winner.send(rtpPacket(0, 2, 'heard'), audioPort(toWinner));
      assert.deepEqual(await peer.packet(1), rtpPacket(0, 2, 'heard'));
      assert.equal(early.packets.length, 0);
    });

    it('gives the media back when the first one repeats its answer', async () => {
      const peer = browser();
      const [first, second] = [await phone(), await phone()];
      session.addEnd('l_browser', { profile: 'webrtc' });
      session.addEnd('l_1', plain);
      session.addEnd('l_2', plain);
      const offer = await peer.offer();
      await session.offer('l_browser', 'l_1', offer);
      await session.offer('l_browser', 'l_2', offer);
      const answer = first.sdp('0');
      const reply = await session.answer('l_1', 'l_browser', answer);
      assert.equal(await session.answer('l_2', 'l_browser', second.sdp('0')), reply);
      peer.takeAnswer(reply);
      await connected(peer, 'l_browser');
      assert.equal(await session.answer('l_1', 'l_browser', answer), reply);
      session.removeEnd('l_2');
      peer.send(rtpPacket(0, 1));
      await first.packet(1);
    });

    it('frees the ports of one that lost', async () => {
      const peer = browser();
      session.addEnd('l_browser', { profile: 'webrtc' });
      session.addEnd('l_1', plain);
      await session.offer('l_browser', 'l_1', await peer.offer());
      assert.equal(relay.sizes()['portPairs'], 2);
      session.removeEnd('l_1');
      session.removeEnd('l_1');
      session.removeEnd('unknown');
      session.removeEnd('l_browser');
      assert.deepEqual(relay.sizes(), { sessions: 1, ends: 1, portPairs: 1 }, "the caller's end stays");
    });
  });

  describe('on a re-offer', () => {
    it('puts the phone on hold and takes it back by SDP alone', async () => {
      const peer = browser();
      const callee = await phone();
      const { offer, toPhone, toBrowser } = await browserCallsPhone(peer, callee);
      const hold = await session.offer('l_browser', 'l_phone', offer.replace('a=sendrecv', 'a=sendonly'));
      assert.match(hold, /^a=sendonly\r$/m);
      assert.equal(audioPort(hold), audioPort(toPhone));
      assert.equal(originVersion(hold), originVersion(toPhone) + 1);
      const held = await session.answer(
        'l_phone',
        'l_browser',
        callee.sdp('0 101', [...pcmuWithEvents, 'a=recvonly']),
      );
      assert.match(held, /^a=recvonly\r$/m);
      for (const kept of ['ice-ufrag', 'ice-pwd', 'fingerprint', 'setup', 'mid']) {
        assert.equal(attribute(held, kept), attribute(toBrowser, kept), kept);
      }
      const resume = await session.offer('l_browser', 'l_phone', offer);
      assert.match(resume, /^a=sendrecv\r$/m);
      await session.answer('l_phone', 'l_browser', callee.sdp('0 101', pcmuWithEvents));
      peer.send(rtpPacket(0, 1));
      await callee.packet(1);
    });

    it('stops sending to a phone that holds with c=0.0.0.0, tells the browser so and passes the music on', async () => {
      const peer = browser();
      const callee = await phone();
      await browserCallsPhone(peer, callee);
      const hold = callee.sdp('0 101', pcmuWithEvents, '0.0.0.0');
      const toBrowser = await session.offer('l_phone', 'l_browser', hold);
      assert.match(toBrowser, /^a=sendonly\r$/m);
      assert.match(toBrowser, /^a=setup:actpass\r$/m);
      const answer = (await peer.offer()).replace('a=sendrecv', 'a=recvonly').replace('actpass', 'active');
      const toPhone = await session.answer('l_browser', 'l_phone', answer);
      assert.match(toPhone, /^a=recvonly\r$/m);
      assert.doesNotMatch(toPhone, /0\.0\.0\.0/);
      peer.send(rtpPacket(0, 1));
      peer.send(receiverReport());
      await until(() => session.stats()[0]?.packetsDropped === 2);
      callee.send(rtpPacket(0, 1, 'music on hold'), audioPort(toPhone));
      assert.deepEqual(await peer.packet(1), rtpPacket(0, 1, 'music on hold'));
      assert.deepEqual([callee.packets, callee.reports], [[], []]);
      const toBrowser2 = await session.offer('l_phone', 'l_browser', callee.sdp('0 101', pcmuWithEvents));
      assert.match(toBrowser2, /^a=sendrecv\r$/m);
      await session.answer('l_browser', 'l_phone', answer.replace('a=recvonly', 'a=sendrecv'));
      peer.send(rtpPacket(0, 2));
      assert.deepEqual(await callee.packet(1), rtpPacket(0, 2));
    });

    it('leaves the call as it was when the re-offer is refused', async () => {
      const peer = browser();
      const [callee, elsewhere] = [await phone(), await phone()];
      const { toPhone } = await browserCallsPhone(peer, callee);
      await session.offer('l_phone', 'l_browser', elsewhere.sdp('8'));
      session.refuse('l_browser');
      peer.send(rtpPacket(0, 1));
      await callee.packet(1);
      callee.send(rtpPacket(0, 1), audioPort(toPhone));
      await peer.packet(1);
      assert.equal(elsewhere.packets.length, 0);
      await assert.rejects(
        session.answer('l_browser', 'l_phone', await peer.offer()),
        (thrown) => thrown instanceof SipFailure && thrown.code === 'media.failed',
      );
    });

    it('restarts ICE with a fresh connection and keeps the leg to the phone', async () => {
      const old = browser();
      const callee = await phone();
      const before = await browserCallsPhone(old, callee);
      const fresh = browser();
      const toPhone = await session.offer('l_browser', 'l_phone', await fresh.offer());
      assert.equal(toPhone, before.toPhone);
      const toBrowser = await session.answer('l_phone', 'l_browser', callee.sdp('0 101', pcmuWithEvents));
      assert.notEqual(attribute(toBrowser, 'ice-ufrag'), attribute(before.toBrowser, 'ice-ufrag'));
      assert.notEqual(attribute(toBrowser, 'fingerprint'), attribute(before.toBrowser, 'fingerprint'));
      fresh.takeAnswer(toBrowser);
      await connected(fresh, 'l_browser');
      fresh.send(rtpPacket(0, 1));
      await callee.packet(1);
      callee.send(rtpPacket(0, 1), audioPort(toPhone));
      await fresh.packet(1);
      assert.equal(relay.sizes()['portPairs'], 2);
    });

    it('offers a browser a new connection when asked for it, and the one that stands otherwise', async () => {
      const old = browser();
      const callee = await phone();
      const { toBrowser } = await browserCallsPhone(old, callee);
      const offer = (): Promise<string> =>
        session.offer('l_phone', 'l_browser', callee.sdp('0 101', pcmuWithEvents));
      const same = await offer();
      assert.equal(attribute(same, 'ice-ufrag'), attribute(toBrowser, 'ice-ufrag'));
      session.refuse('l_browser');
      session.renewPath?.('l_browser');
      const renewed = await offer();
      assert.notEqual(attribute(renewed, 'ice-ufrag'), attribute(toBrowser, 'ice-ufrag'));
      assert.notEqual(attribute(renewed, 'fingerprint'), attribute(toBrowser, 'fingerprint'));
      const fresh = browser();
      await session.answer('l_browser', 'l_phone', await fresh.answer(renewed));
      await connected(fresh, 'l_browser');
      fresh.send(rtpPacket(0, 1));
      await callee.packet(1);
    });

    it('offers a browser whose connection has failed a new one', async () => {
      const failing = browser();
      const caller = await phone();
      session.addEnd('l_phone', plain);
      session.addEnd('l_browser', { profile: 'webrtc' });
      const failed = endReached('l_browser', 'failed');
      const first = await session.offer('l_phone', 'l_browser', caller.sdp('0'));
      const refused = withOtherFingerprint(await failing.answer(first));
      const toPhone = await session.answer('l_browser', 'l_phone', refused);
      await failed;
      const again = await session.offer('l_phone', 'l_browser', caller.sdp('0'));
      assert.notEqual(attribute(again, 'ice-ufrag'), attribute(first, 'ice-ufrag'));
      assert.notEqual(attribute(again, 'fingerprint'), attribute(first, 'fingerprint'));
      const back = browser();
      const reply = await session.answer('l_browser', 'l_phone', await back.answer(again));
      assert.equal(audioPort(reply), audioPort(toPhone));
      await connected(back, 'l_browser');
      caller.send(rtpPacket(0, 1), audioPort(reply));
      await back.packet(1);
    });

    it('refuses an answer of another browser than the one that is connected, and keeps that one', async () => {
      const [peer, other] = [browser(), browser()];
      const callee = await phone();
      await browserCallsPhone(peer, callee);
      const offer = await session.offer('l_phone', 'l_browser', callee.sdp('0 101', pcmuWithEvents));
      await assert.rejects(
        session.answer('l_browser', 'l_phone', await other.answer(offer)),
        (thrown) => thrown instanceof SipFailure && thrown.code === 'media.failed',
      );
      session.refuse('l_browser');
      peer.send(rtpPacket(0, 1));
      await callee.packet(1);
    });

    it('changes the codec', async () => {
      const peer = browser();
      const callee = await phone();
      await browserCallsPhone(peer, callee);
      const toBrowser = await session.offer('l_phone', 'l_browser', callee.sdp('8 101', pcmuWithEvents));
      assert.match(toBrowser, /^m=audio \d+ UDP\/TLS\/RTP\/SAVPF 8 126\r$/m);
      const answer = (await peer.offer()).replace('actpass', 'active');
      await session.answer('l_browser', 'l_phone', answer);
      peer.send(rtpPacket(8, 1));
      assert.deepEqual(await callee.packet(1), rtpPacket(8, 1));
      assert.equal(session.stats()[0]?.codec, 'PCMA');
    });
  });

  describe('refuses', () => {
    const refused = (code: string, warning?: RegExp) => (thrown: unknown) => {
      assert.ok(thrown instanceof SipFailure);
      assert.equal(thrown.code, code);
      if (warning !== undefined) assert.match(new Map(thrown.headers).get('Warning') ?? '', warning);
      return true;
    };

    beforeEach(() => {
      session.addEnd('l_browser', { profile: 'webrtc' });
      session.addEnd('l_phone', plain);
    });

    it('an offer without a shared codec, with a Warning that names the line', async () => {
      const callee = await phone();
      const offer = callee.sdp('18', ['a=rtpmap:18 G729/8000']);
      const expected = refused('media.not_acceptable', /^305 webtrunk "m=audio \(line 1\): no shared codec/);
      await assert.rejects(session.offer('l_phone', 'l_browser', offer), expected);
    });

    it('an SDP that cannot be read', async () => {
      await assert.rejects(
        session.offer('l_browser', 'l_phone', 'v=0\r\nhello'),
        refused('media.sdp_malformed'),
      );
    });

    it('an answer without an offer, and unknown ends', async () => {
      const callee = await phone();
      await assert.rejects(session.answer('l_phone', 'l_browser', callee.sdp('0')), refused('media.failed'));
      await assert.rejects(session.offer('l_phone', 'l_nobody', callee.sdp('0')), refused('media.failed'));
      assert.throws(() => session.addEnd('l_phone', plain), refused('media.failed'));
    });

    it('work after close', async () => {
      session.close();
      session.close();
      await assert.rejects(session.offer('l_browser', 'l_phone', ''), refused('media.failed'));
      assert.throws(() => session.addEnd('l_late', plain), refused('media.failed'));
      await relay.close();
      assert.throws(() => relay.createSession('c_late', timeouts), refused('media.failed'));
    });
  });

  it('frees what an offer was preparing when the session closes meanwhile', async () => {
    const caller = await phone();
    session.addEnd('l_phone', plain);
    session.addEnd('l_browser', { profile: 'webrtc' });
    const pending = session.offer('l_phone', 'l_browser', caller.sdp('0'));
    session.close();
    await assert.rejects(pending, (thrown) => thrown instanceof SipFailure && thrown.code === 'media.failed');
  });

  it('says so when all ports are in use, and leaks none', async () => {
    const { min } = somePorts();
    const small = relayOnLoopback({ ports: { min, max: min + 1 } });
    const one = small.createSession('c_one', timeouts);
    one.addEnd('l_caller', plain);
    one.addEnd('l_callee', plain);
    const caller = await phone();
    await assert.rejects(
      one.offer('l_caller', 'l_callee', caller.sdp('0')),
      (thrown) => thrown instanceof SipFailure && thrown.code === 'media.no_ports' && thrown.status === 503,
    );
    await small.close();
    assert.deepEqual(small.sizes(), { sessions: 0, ends: 0, portPairs: 0 });
  });

  it('leaves no handle behind: the process ends by itself', async () => {
    const child = spawn(process.execPath, [
      fileURLToPath(new URL('../../support/relay-once.js', import.meta.url)),
    ]);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    open.push({ close: () => child.kill('SIGKILL') });
    const [code] = (await once(child, 'close')) as [number | null];
    assert.deepEqual([code, output], [0, 'closed\n']);
  });

  it('announces the address that it was given when that is not of this machine, as behind NAT', async () => {
    const behind = relayOnLoopback({ address: '203.0.113.5' });
    const calls = behind.createSession('c_nat', timeouts);
    calls.addEnd('l_browser', { profile: 'webrtc' });
    calls.addEnd('l_phone', plain);
    const [peer, callee] = [browser(), await phone()];
    const toPhone = await calls.offer('l_browser', 'l_phone', await peer.offer());
    assert.match(toPhone, /^c=IN IP4 203\.0\.113\.5\r$/m);
    const toBrowser = await calls.answer('l_phone', 'l_browser', callee.sdp('0'));
    assert.match(toBrowser, /^a=candidate:\S+ 1 UDP \d+ 203\.0\.113\.5 \d+ typ host\r$/m);
    peer.takeAnswer(toBrowser.replaceAll('203.0.113.5', '127.0.0.1'));
    await connected(peer, 'l_browser');
    callee.send(rtpPacket(0, 1), audioPort(toPhone));
    assert.deepEqual(await peer.packet(1), rtpPacket(0, 1));
    await behind.close();
  });

  it('speaks IPv6', async () => {
    const six = relayOnLoopback({ address: '::1' });
    const calls = six.createSession('c_six', timeouts);
    calls.addEnd('l_caller', plain);
    calls.addEnd('l_callee', plain);
    const [caller, callee] = [await phone('::1'), await phone('::1')];
    const toCallee = await calls.offer('l_caller', 'l_callee', caller.sdp('0'));
    assert.match(toCallee, /^c=IN IP6 ::1\r$/m);
    await calls.answer('l_callee', 'l_caller', callee.sdp('0', [], '0:0:0:0:0:0:0:1'));
    callee.send(rtpPacket(0, 1), audioPort(toCallee));
    assert.deepEqual(await caller.packet(1), rtpPacket(0, 1));
    await six.close();
  });

  describe('watches for lost media', () => {
    let clock: FakeClock;
    let watched: MediaSession;
    let watching: RelayEngine;
    let heard: TimeoutRecord;

    beforeEach(() => {
      clock = new FakeClock();
      heard = new TimeoutRecord();
      watching = relayOnLoopback({ timeoutMs: 5_000, startMs: 180_000 }, clock);
      watched = watching.createSession('c_watched', heard);
      watched.addEnd('l_caller', plain);
      watched.addEnd('l_callee', plain);
    });

    afterEach(async () => {
      await watching.close();
      assert.equal(clock.pending, 0);
    });

    it('tells once when no packet came in either direction', async () => {
      const [caller, callee] = [await phone(), await phone()];
      const toCallee = await watched.offer('l_caller', 'l_callee', caller.sdp('0'));
      clock.advance(60_000);
      assert.equal(heard.timeouts.length, 0, 'nothing is expected before an answer');
      await watched.answer('l_callee', 'l_caller', callee.sdp('0'));
      clock.advance(4_000);
      callee.send(rtpPacket(0, 1), audioPort(toCallee));
      await caller.packet(1);
      clock.advance(4_000);
      assert.equal(heard.timeouts.length, 0);
      clock.advance(60_000);
      assert.equal(heard.timeouts.length, 1);
      assert.equal(heard.timeouts.at(0)?.failure.code, 'media.timeout');
    });

    it('expects nothing while a side is on hold', async () => {
      const [caller, callee] = [await phone(), await phone()];
      await watched.offer('l_caller', 'l_callee', caller.sdp('0', ['a=inactive']));
      await watched.answer('l_callee', 'l_caller', callee.sdp('0', ['a=inactive']));
      clock.advance(600_000);
      assert.equal(heard.timeouts.length, 0);
    });

    it('waits longer for the first packet: a phone may ring for minutes after early media was agreed on', async () => {
      const [caller, callee] = [await phone(), await phone()];
      await watched.offer('l_caller', 'l_callee', caller.sdp('0'));
      await watched.answer('l_callee', 'l_caller', callee.sdp('0'));
      clock.advance(179_000);
      assert.equal(heard.timeouts.length, 0);
      clock.advance(1_000);
      assert.deepEqual(
        heard.timeouts.map(({ failure }) => [failure.code, failure.detail]),
        [['media.timeout', 'no packet in either direction for 180000 ms']],
      );
    });

    describe('of a browser whose call a phone rings for', () => {
      let peer: WebrtcPeer;
      let callee: RtpPhone;
      let mixed: MediaSession;
      let callPort: number;
      let answer: string;

      beforeEach(async () => {
        peer = browser();
        callee = await phone();
        mixed = watching.createSession('c_mixed', heard);
        mixed.addEnd('l_browser', { profile: 'webrtc' });
        mixed.addEnd('l_phone', plain);
        callPort = audioPort(await mixed.offer('l_browser', 'l_phone', await peer.offer()));
        answer = await mixed.answer('l_phone', 'l_browser', callee.sdp('0'));
      });

      /** Seconds in which the phone is heard. */
      const pass = async (seconds: number): Promise<void> => {
        for (let second = 1; second <= seconds; second++) {
          callee.send(rtpPacket(0, second), callPort);
          clock.advance(1_000);
          await new Promise((resolve) => setImmediate(resolve));
        }
      };
      const told = (): unknown =>
        heard.timeouts.map(({ endId, failure }) => [endId, failure.code, failure.party]);
      const browserIsLost = [['l_browser', 'media.timeout', 'caller']];

      it('tells when it never connects, not before the phone has had time to be picked up', async () => {
        await pass(179);
        assert.deepEqual(told(), []);
        await pass(1);
        assert.deepEqual(told(), browserIsLost);
      });

      it('tells when it was there and does not come back', async () => {
        const isUp = endReached('l_browser', 'connected');
        peer.takeAnswer(answer);
        await Promise.all([peer.reached('open'), isUp]);
        peer.send(rtpPacket(0, 1));
        await callee.packet(1);
        await mixed.offer('l_browser', 'l_phone', await browser().offer());
        await mixed.answer('l_phone', 'l_browser', callee.sdp('0'));
        await pass(29);
        assert.deepEqual(told(), []);
        await pass(1);
        assert.deepEqual(told(), browserIsLost);
      });
    });
  });
});
