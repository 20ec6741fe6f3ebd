import type { Web } from 'sip.js';
import { agreedCodecs } from './codec-order.js';

export interface CallMediaEvents {
  /** The state of the network path to the other side changed. */
  sound(state: 'connecting' | 'on' | 'lost'): void;
  /** Offer and answer settled; `true` when the other side no longer wants to hear from us. */
  heldByOther(held: boolean): void;
}

const toneMs = 160;
const gapMs = 70;

/** What is heard and said in one call: the remote audio element, the microphone's track, telephone events. */
export class CallMedia {
  private readonly audio: HTMLAudioElement;
  private muted = false;
  private held = false;

  constructor(
    private readonly handler: Web.SessionDescriptionHandler,
    callId: string,
    private readonly events: CallMediaEvents,
  ) {
    this.audio = document.createElement('audio');
    this.audio.autoplay = true;
    this.audio.dataset['call'] = callId;
    this.audio.srcObject = handler.remoteMediaStream;
    document.body.append(this.audio);
    const peer = handler.peerConnection;
    peer?.addEventListener('connectionstatechange', () => this.path(peer));
    peer?.addEventListener('signalingstatechange', () => this.settled(peer));
  }

  /** The codecs that both sides speak, the one in use first. */
  get codecs(): string[] {
    const peer = this.handler.peerConnection;
    return peer === undefined ? [] : agreedCodecs(peer);
  }

  setMuted(muted: boolean): void {
    this.muted = muted;
    this.apply();
  }

  /** On hold nothing is sent and nothing is played, whatever the other side does with our offer. */
  setHeld(held: boolean): void {
    this.held = held;
    this.apply();
  }

  /** Sends one digit as a telephone event (RFC 4733), after those that are still being sent. False when it cannot be. */
  sendDigit(digit: string): boolean {
    const sender = this.audioSender()?.dtmf;
    if (!sender?.canInsertDTMF) return false;
    sender.insertDTMF(sender.toneBuffer + digit, toneMs, gapMs);
    return true;
  }

  /** Sends from another microphone from now on; the old one is let go. */
  async replaceMicrophone(stream: MediaStream): Promise<void> {
    const sender = this.audioSender();
    const [track] = stream.getAudioTracks();
    if (sender === undefined || track === undefined) {
      for (const unused of stream.getTracks()) unused.stop();
      return;
    }
    const old = sender.track;
    await sender.replaceTrack(track);
    const local = this.handler.localMediaStream;
    if (old !== null) {
      old.stop();
      local.removeTrack(old);
    }
    local.addTrack(track);
    this.apply();
  }

  /** Puts mute and hold on tracks that the library has exchanged meanwhile. */
  apply(): void {
    const track = this.audioSender()?.track;
    if (track != null) track.enabled = !this.muted && !this.held;
    this.audio.muted = this.held;
  }

  close(): void {
    this.audio.srcObject = null;
    this.audio.remove();
  }

  private audioSender(): RTCRtpSender | undefined {
    return this.handler.peerConnection?.getSenders().find((sender) => sender.track?.kind === 'audio');
  }

  private path(peer: RTCPeerConnection): void {
    if (peer.connectionState === 'connected') this.events.sound('on');
    if (peer.connectionState === 'disconnected') this.events.sound('connecting');
    if (peer.connectionState === 'failed') this.events.sound('lost');
  }

  private settled(peer: RTCPeerConnection): void {
    if (peer.signalingState !== 'stable') return;
    this.apply();
    const direction = peer.getTransceivers()[0]?.currentDirection;
    this.events.heldByOther(direction === 'recvonly' || direction === 'inactive');
  }
}
