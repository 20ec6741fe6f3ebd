import assert from 'node:assert/strict';
import { generateKeyPairSync, createPrivateKey, X509Certificate } from 'node:crypto';
import { createDtlsCertificate } from '../../../sip/media/relay/certificate.js';
import type { MediaSession } from '../../../sip/media/media-engine.js';
import type { RelayEngine } from '../../../sip/media/relay/relay-engine.js';
import { decryptError, DtlsClient, type DtlsClientOptions } from '../../support/dtls-client.js';
import { freePort } from '../../support/free-port.js';
import { IceAgent } from '../../support/ice-agent.js';
import {
  audioPort,
  endReached,
  relayOnLoopback,
  TimeoutRecord,
  withOtherFingerprint,
} from '../../support/media-session.js';
import { RtpPhone, rtpPacket } from '../../support/rtp-phone.js';
import { stunClass, type BindingRequest } from '../../support/stun.js';
import { WebrtcPeer } from '../../support/webrtc-peer.js';

for (const isShared of [false, true]) {
  describe(`embedded relay under attack, ${isShared ? 'all browsers at one port' : 'each browser at a port of its own'}`, () => {
    let relay: RelayEngine;
    let session: MediaSession;
    let phone: RtpPhone;
    const open: { close(): void }[] = [];
    const certificate = createDtlsCertificate(Date.now());

    const agent = async (): Promise<IceAgent> => {
      const { value } = certificate.fingerprint;
      const options = { ufrag: 'attk', pwd: 'abcdefghijklmnopqrstuv', fingerprint: value };
      const started = await IceAgent.start(options);
      open.push(started);
      return started;
    };

    /** What the relay answers to a browser's offer. */
    const reply = async (offer: string): Promise<string> => {
      await session.offer('l_browser', 'l_phone', offer);
      return session.answer('l_phone', 'l_browser', phone.sdp('0'));
    };

    beforeEach(async () => {
      relay = relayOnLoopback(isShared ? { browserPort: await freePort() } : {});
      session = relay.createSession('c_attacked', new TimeoutRecord());
      session.addEnd('l_browser', { profile: 'webrtc' });
      session.addEnd('l_phone', { profile: 'plain' });
      phone = await RtpPhone.start();
      open.push(phone);
    });

    afterEach(async () => {
      for (const one of open.splice(0)) one.close();
      await relay.close();
    });

    describe('by STUN', () => {
      const forgeries: readonly (readonly [what: string, wrong: BindingRequest])[] = [
        ['a wrong username and no MESSAGE-INTEGRITY', { username: 'wrong:wrong', password: undefined }],
        ['the right username and no MESSAGE-INTEGRITY', { password: undefined }],
        ['no username and no MESSAGE-INTEGRITY', { username: undefined, password: undefined }],
        ['a MESSAGE-INTEGRITY by another password', { password: 'another password, as long' }],
        ['a wrong username and the right password', { username: 'wrong:attk' }],
      ].map(([what, wrong]) => [what as string, wrong as BindingRequest]);

      for (const [what, wrong] of forgeries) {
        it(`does not take a nomination with ${what}`, async () => {
          const [owner, attacker] = [await agent(), await agent()];
          const sdp = await reply(owner.offer());
          attacker.check(sdp, wrong);
          attacker.check(sdp, wrong);
          // The owner's check comes after them and is taken: the forged ones have been judged by then.
          owner.check(sdp);
          await owner.received(stunClass.success, 1);
          await attacker.drained();
          assert.ok(!attacker.stun.includes(stunClass.success), 'the forged check succeeded');
          assert.ok(!attacker.stun.includes(stunClass.request), 'the relay checks the address of the forger');
        });
      }

      it('does not let a forged nomination take a call over', async () => {
        const peer = new WebrtcPeer();
        open.push(peer);
        const connected = endReached('l_browser', 'connected');
        const sdp = await reply(await peer.offer());
        peer.takeAnswer(sdp);
        await Promise.all([connected, peer.reached('open')]);
        const attacker = await agent();
        attacker.check(sdp, { username: 'wrong:wrong', password: undefined });
        attacker.send(rtpPacket(0, 1, 'not encrypted'), audioPort(sdp));
        peer.send(rtpPacket(0, 2, 'from the owner'));
        assert.deepEqual(await phone.packet(1), rtpPacket(0, 2, 'from the owner'));
        phone.send(rtpPacket(0, 3, 'for the owner'), await phonePort());
        assert.deepEqual(await peer.packet(1), rtpPacket(0, 3, 'for the owner'));
        await attacker.drained();
        assert.deepEqual(attacker.datagrams, []);
        assert.ok(!attacker.stun.includes(stunClass.success));
      });
    });

    /** The relay's port towards the phone. */
    const phonePort = async (): Promise<number> => {
      return audioPort(await session.offer('l_browser', 'l_phone', (await agent()).offer()));
    };

    describe('by DTLS', () => {
      it('refuses a browser whose certificate is not the one of its offer', async () => {
        const peer = new WebrtcPeer();
        open.push(peer);
        const failed = endReached('l_browser', 'failed');
        peer.takeAnswer(await reply(withOtherFingerprint(await peer.offer())));
        await failed;
        await peer.reached('closed');
        assert.ok(!peer.states.includes('open'));
      });

      it('refuses a browser whose certificate is not the one of its answer', async () => {
        const peer = new WebrtcPeer();
        open.push(peer);
        const failed = endReached('l_browser', 'failed');
        const offer = await session.offer('l_phone', 'l_browser', phone.sdp('0'));
        await session.answer('l_browser', 'l_phone', withOtherFingerprint(await peer.answer(offer)));
        await failed;
        await peer.reached('closed');
      });

      const handshake = async (signingKey: DtlsClientOptions['signingKey']): Promise<unknown> => {
        const browser = await agent();
        const sdp = await reply(browser.offer());
        browser.check(sdp);
        await browser.received(stunClass.success, 1);
        const client = new DtlsClient({
          certificate: new X509Certificate(certificate.certificatePem),
          signingKey,
          send: (datagram) => browser.send(datagram, audioPort(sdp)),
          receive: () => browser.datagram(),
        });
        return client.handshake();
      };

      it('refuses a peer that shows the right certificate but does not own its key', async () => {
        const failed = endReached('l_browser', 'failed');
        const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
        assert.equal(await handshake(privateKey), decryptError);
        await failed;
      });

      it('takes the same peer when it owns the key', async () => {
        const connected = endReached('l_browser', 'connected');
        assert.equal(await handshake(createPrivateKey(certificate.keyPem)), 'finished');
        await connected;
      });
    });

    describe('by RTP to the port of the phone', () => {
      let peer: WebrtcPeer;
      let port: number;

      beforeEach(async () => {
        peer = new WebrtcPeer();
        open.push(peer);
        const offer = await peer.offer();
        const connected = endReached('l_browser', 'connected');
        port = audioPort(await session.offer('l_browser', 'l_phone', offer));
        peer.takeAnswer(await session.answer('l_phone', 'l_browser', phone.sdp('0')));
        await Promise.all([connected, peer.reached('open')]);
      });

      it('forwards nothing from another address, and sends nothing there', async () => {
        const attacker = await RtpPhone.start('127.0.0.2');
        open.push(attacker);
        attacker.send(rtpPacket(0, 1, 'injected'), port, '127.0.0.1');
        attacker.sendReport(rtpPacket(0, 1, 'injected'), port + 1, '127.0.0.1');
        phone.send(rtpPacket(0, 2, 'genuine'), port);
        assert.deepEqual(await peer.packet(1), rtpPacket(0, 2, 'genuine'));
        peer.send(rtpPacket(0, 3, 'for the phone'));
        assert.deepEqual(await phone.packet(1), rtpPacket(0, 3, 'for the phone'));
        assert.deepEqual(attacker.packets, []);
        assert.equal(session.stats().find((end) => end.endId === 'l_phone')?.packetsDropped, 2);
      });

      it('forwards nothing from another port of the address once the phone was heard', async () => {
        const attacker = await RtpPhone.start();
        open.push(attacker);
        phone.send(rtpPacket(0, 1, 'genuine'), port);
        await peer.packet(1);
        attacker.send(rtpPacket(0, 2, 'injected'), port);
        phone.send(rtpPacket(0, 3, 'genuine'), port);
        assert.deepEqual(await peer.packet(2), rtpPacket(0, 3, 'genuine'));
        peer.send(rtpPacket(0, 4));
        await phone.packet(1);
        assert.deepEqual(attacker.packets, []);
      });
    });
  });
}
