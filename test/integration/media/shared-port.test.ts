import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { systemClock } from '../../../sip/clock.js';
import { silentLog } from '../../../sip/log.js';
import { startRelayProcesses } from '../../../sip/media/relay-process/relay-processes.js';
import type { MediaEngine } from '../../../sip/media/media-engine.js';
import { freePort, freePorts } from '../../support/free-port.js';
import {
  attribute,
  audioPort,
  relayOnLoopback,
  somePorts,
  TimeoutRecord,
  until,
} from '../../support/media-session.js';
import { RtpPhone, rtpPacket } from '../../support/rtp-phone.js';
import { bindingRequest } from '../../support/stun.js';
import { isUdpPortFree, udpPortFreed } from '../../support/udp-ports.js';
import { WebrtcPeer } from '../../support/webrtc-peer.js';

const many = 18;

describe('relay with one UDP port for all browsers', () => {
  let port: number;
  let relay: MediaEngine;
  const open: { close(): void }[] = [];

  const owned = <Thing extends { close(): void }>(thing: Thing): Thing => {
    open.push(thing);
    return thing;
  };

  beforeEach(async () => {
    port = await freePort();
    relay = relayOnLoopback({ browserPort: port });
  });

  afterEach(async () => {
    for (const one of open.splice(0)) one.close();
    await relay.close();
    await udpPortFreed(port);
  });

  /** A browser calls a phone; resolves when the browser can send. */
  const call = async (address = '127.0.0.1', peer = owned(new WebrtcPeer({ address }))) => {
    const session = owned(relay.createSession('c_shared', new TimeoutRecord()));
    const phone = owned(await RtpPhone.start(address));
    session.addEnd('l_browser', { profile: 'webrtc' });
    session.addEnd('l_phone', { profile: 'plain', codecs: ['PCMU'] });
    const offer = await peer.offer();
    const toPhone = await session.offer('l_browser', 'l_phone', offer);
    const toBrowser = await session.answer('l_phone', 'l_browser', phone.sdp('0'));
    peer.takeAnswer(toBrowser);
    await peer.reached('open');
    return { session, peer, phone, toPhone, toBrowser };
  };

  type Call = Awaited<ReturnType<typeof call>>;

  /** Both hear what the other one says, and nobody else. */
  const carriesAudio = async ({ peer, phone, toPhone }: Call, said: string): Promise<void> => {
    const [heard, received] = [phone.packets.length, peer.packets.length];
    peer.send(rtpPacket(0, heard, `${said} there`));
    assert.deepEqual(await phone.packet(heard + 1), rtpPacket(0, heard, `${said} there`));
    phone.send(rtpPacket(0, received, `${said} back`), audioPort(toPhone));
    assert.deepEqual(await peer.packet(received + 1), rtpPacket(0, received, `${said} back`));
  };

  it('carries many calls at once, each to its own phone', async function () {
    // The native peer of the tests loses a handshake now and then when the relay's checks overtake its answer.
    this.retries(2);
    const calls = await Promise.all(Array.from({ length: many }, () => call()));
    for (const { toBrowser } of calls) {
      assert.equal(audioPort(toBrowser), port);
      assert.match(attribute(toBrowser, 'candidate') ?? '', new RegExp(` 127\\.0\\.0\\.1 ${port} typ host$`));
    }
    await Promise.all(calls.map((one, index) => carriesAudio(one, `call ${index}`)));
    const leaving = calls.splice(0, many / 2);
    for (const { session, peer } of leaving) {
      peer.close();
      session.close();
    }
    calls.push(await call());
    await Promise.all(calls.map((one, index) => carriesAudio(one, `then ${index}`)));
  });

  it('takes a browser that calls again from the same port of its own', async () => {
    const own = await freePort();
    const peer = new WebrtcPeer({ port: own });
    const first = await call('127.0.0.1', peer);
    await carriesAudio(first, 'first');
    peer.close();
    first.session.close();
    await udpPortFreed(own);
    await carriesAudio(await call('127.0.0.1', owned(new WebrtcPeer({ port: own }))), 'second');
  });

  it('restarts ICE of one call while another goes on', async () => {
    const [one, other] = [await call(), await call()];
    const fresh = owned(new WebrtcPeer());
    await one.session.offer('l_browser', 'l_phone', await fresh.offer());
    const toBrowser = await one.session.answer('l_phone', 'l_browser', one.phone.sdp('0'));
    assert.notEqual(attribute(toBrowser, 'ice-ufrag'), attribute(one.toBrowser, 'ice-ufrag'));
    assert.equal(audioPort(toBrowser), port);
    fresh.takeAnswer(toBrowser);
    await fresh.reached('open');
    await carriesAudio({ ...one, peer: fresh }, 'restarted');
    await carriesAudio(other, 'the other one');
  });

  it('answers nothing to strangers, and its calls do not notice them', async () => {
    const made = await call();
    const stranger = owned(createSocket('udp4'));
    const heard: Buffer[] = [];
    stranger.on('message', (datagram) => heard.push(datagram));
    stranger.bind(0, '127.0.0.1');
    await once(stranger, 'listening');
    const ufrag = attribute(made.toBrowser, 'ice-ufrag') ?? '';
    const datagrams = [
      Buffer.alloc(0),
      Buffer.from('no protocol at all'),
      rtpPacket(0, 1, 'not encrypted'),
      Buffer.from([22, 254, 253, 0, 0]),
      bindingRequest({ username: 'nobody:here', password: 'a password of twenty-two' }),
      bindingRequest({ username: 'no colon', password: 'a password of twenty-two' }),
      bindingRequest({ username: `${ufrag}:mine`, password: 'a password of twenty-two' }),
      bindingRequest({ username: 'nobody:here', password: undefined }).subarray(0, 24),
    ];
    for (const datagram of datagrams) stranger.send(datagram, port, '127.0.0.1');
    await carriesAudio(made, 'undisturbed');
    const marker = Buffer.from('marker');
    stranger.send(marker, stranger.address().port, '127.0.0.1');
    await until(() => heard.some((datagram) => datagram.equals(marker)));
    // A stranger who knows the user name is told that he is not authentic (RFC 8489 §9.1.3), others nothing.
    const answers = heard.filter((datagram) => !datagram.equals(marker));
    assert.deepEqual(
      answers.map((datagram) => datagram.readUInt16BE(0)),
      answers.map(() => 0x0111),
    );
    assert.ok(answers.length <= 1);
  });

  it('is one over IPv6 as well, with a phone that has IPv6', async () => {
    await relay.close();
    relay = relayOnLoopback({ address: '::1', browserPort: port });
    const calls = [await call('::1'), await call('::1')];
    assert.match(
      attribute(calls[0]?.toBrowser ?? '', 'candidate') ?? '',
      new RegExp(` ::1 ${port} typ host$`),
    );
    assert.match(calls[0]?.toPhone ?? '', /^c=IN IP6 ::1\r$/m);
    await Promise.all(calls.map((one, index) => carriesAudio(one, `call ${index}`)));
  });

  it('refuses calls while another program has the port, and takes them when it is free', async function () {
    this.timeout(10_000);
    await relay.close();
    await udpPortFreed(port);
    const other = await bound(port);
    relay = relayOnLoopback({ browserPort: port });
    await assert.rejects(call(), {
      code: 'media.no_ports',
      status: 503,
      detail: `UDP port ${port} of 127.0.0.1, for all browsers, cannot be bound: EADDRINUSE`,
    });
    await new Promise<void>((resolve) => other.close(() => resolve()));
    await carriesAudio(await call(), 'at last');
  });

  describe('in processes', () => {
    const start = (browserPort: number, processes: number) =>
      startRelayProcesses({
        address: '127.0.0.1',
        ports: somePorts(),
        browserPort,
        quarantineMs: 0,
        processes,
        log: silentLog,
        clock: systemClock,
        died: () => undefined,
      });

    it('has the same port again after a crash, and frees it when it ends', async () => {
      await relay.close();
      const [first = 0] = await freePorts(1);
      const processes = start(first, 1);
      relay = processes;
      const lost = await call();
      const [pid = 0] = processes.pids;
      process.kill(pid, 'SIGSEGV');
      await until(() => processes.pids.length === 0);
      lost.session.close();
      await until(() => processes.pids.length === 1);
      const back = await call();
      assert.equal(audioPort(back.toBrowser), first);
      await carriesAudio(back, 'back');
      await processes.close();
      assert.ok(await isUdpPortFree(first));
    });

    it('takes the next port for the next process', async () => {
      await relay.close();
      const [first = 0, second = 0] = await freePorts(2);
      relay = start(first, 2);
      const calls = [await call(), await call()];
      assert.deepEqual(calls.map(({ toBrowser }) => audioPort(toBrowser)).sort(), [first, second].sort());
      await Promise.all(calls.map((one, index) => carriesAudio(one, `call ${index}`)));
    });
  });
});

async function bound(port: number): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind({ port, address: '127.0.0.1', exclusive: true });
  await once(socket, 'listening');
  return socket;
}
