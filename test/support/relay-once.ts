import { audioPort, endReached, relayOnLoopback, TimeoutRecord } from './media-session.js';
import { RtpPhone, rtpPacket } from './rtp-phone.js';
import { WebrtcPeer } from './webrtc-peer.js';

/** A program of one call through the relay: it ends by itself when everything that was opened is closed. */
const relay = relayOnLoopback();
const session = relay.createSession('c_once', new TimeoutRecord());
session.addEnd('l_browser', { profile: 'webrtc' });
session.addEnd('l_phone', { profile: 'plain' });
const [peer, phone] = [new WebrtcPeer(), await RtpPhone.start()];
const connected = endReached('l_browser', 'connected');
const toPhone = await session.offer('l_browser', 'l_phone', await peer.offer());
peer.takeAnswer(await session.answer('l_phone', 'l_browser', phone.sdp('0')));
await Promise.all([connected, peer.reached('open')]);
phone.send(rtpPacket(0, 1), audioPort(toPhone));
await peer.packet(1);
peer.close();
phone.close();
await relay.close();
process.stdout.write('closed\n');
