import { WebSocket } from 'ws';
import JsSIP from 'jssip';
import { Journal } from './journal.js';
import { sdpA, sdpB } from './scripted-browser.js';

/** JsSIP's UA over a real WebSocket in Node, with a peer connection that makes its SDP up: only signalling is tried. */

/** What the tests use of a JsSIP session; its own types need the DOM. */
export interface JsSipSession {
  readonly direction: 'incoming' | 'outgoing';
  on(
    event: string,
    listener: (data: { originator?: string; cause?: string; info?: { body: string } }) => void,
  ): void;
  answer(options: object): void;
  terminate(options?: object): void;
  hold(options?: object, done?: () => void): boolean;
  unhold(options?: object, done?: () => void): boolean;
  sendInfo(contentType: string, body: string): void;
  /** What its session timer calls after half of the session interval. */
  _sendUpdate(): void;
}

interface JsSipAgent {
  start(): void;
  stop(): void;
  call(target: string, options: object): JsSipSession;
  on(event: string, listener: (data: { originator: string; session: JsSipSession }) => void): void;
}

class FakePeerConnection {
  iceGatheringState = 'complete';
  iceConnectionState = 'connected';
  signalingState = 'stable';
  localDescription: { type: string; sdp: string } | undefined;
  addEventListener(): void {
    // Nothing ever happens.
  }
  removeEventListener(): void {
    // Nothing was added.
  }
  addTrack(): void {
    // There is no sound.
  }
  getSenders(): [] {
    return [];
  }
  getReceivers(): [] {
    return [];
  }
  getTransceivers(): [] {
    return [];
  }
  createOffer(): Promise<{ type: string; sdp: string }> {
    return Promise.resolve({ type: 'offer', sdp: sdpA });
  }
  createAnswer(): Promise<{ type: string; sdp: string }> {
    return Promise.resolve({ type: 'answer', sdp: sdpB });
  }
  setLocalDescription(description: { type: string; sdp: string }): Promise<void> {
    this.localDescription = description;
    return Promise.resolve();
  }
  setRemoteDescription(): Promise<void> {
    return Promise.resolve();
  }
  close(): void {
    // Nothing is open.
  }
}

class Description {
  readonly type: string;
  readonly sdp: string;
  constructor(init: { type: string; sdp: string }) {
    this.type = init.type;
    this.sdp = init.sdp;
  }
}

const stream = {
  getTracks: () => [],
  getAudioTracks: () => [],
  getVideoTracks: () => [],
  removeTrack: () => undefined,
};

/** Options for `call` and `answer`. */
export const media = { mediaStream: stream };

/** JsSIP's socket interface on a `ws` socket. */
class WsSocket {
  readonly via_transport = 'WS';
  readonly sip_uri = 'sip:127.0.0.1;transport=ws';
  onconnect: () => void = () => undefined;
  ondisconnect: (error: boolean, code?: number, reason?: string) => void = () => undefined;
  ondata: (data: string) => void = () => undefined;
  #socket: WebSocket | undefined;

  constructor(readonly url: string) {}

  connect(): void {
    const socket = new WebSocket(this.url, 'sip');
    this.#socket = socket;
    socket.on('open', () => this.onconnect());
    socket.on('close', () => this.ondisconnect(false, 1006, ''));
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer) => this.ondata(data.toString()));
  }

  disconnect(): void {
    this.#socket?.close();
  }

  send(message: string): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(message);
    return true;
  }
}

export class JsSipClient {
  readonly agent: JsSipAgent;
  readonly sessions = new Journal<JsSipSession>();

  private constructor(user: string, url: string, password: string, domain: string) {
    Object.assign(globalThis, {
      window: globalThis,
      RTCPeerConnection: FakePeerConnection,
      RTCSessionDescription: Description,
    });
    this.agent = new JsSIP.UA({
      sockets: [new WsSocket(url) as never],
      uri: `sip:${user}@${domain}`,
      password,
      connection_recovery_min_interval: 1,
      connection_recovery_max_interval: 1,
    }) as unknown as JsSipAgent;
    this.agent.on('newRTCSession', ({ originator, session }) => {
      if (originator === 'remote') this.sessions.add(session);
    });
  }

  /** Connects and registers. */
  static async start(
    user: string,
    url: string,
    password = 'unused',
    domain = 'localhost',
  ): Promise<JsSipClient> {
    const client = new JsSipClient(user, url, password, domain);
    const registered = new Promise<void>((resolve) => client.agent.on('registered', () => resolve()));
    client.agent.start();
    await registered;
    return client;
  }

  call(options: object = {}): JsSipSession {
    return this.agent.call('sip:bob@localhost', { ...media, ...options });
  }

  stop(): void {
    this.agent.stop();
  }
}

/** Resolves with what the session's event brings. */
export function happens(
  session: JsSipSession,
  event: string,
): Promise<{ originator?: string; cause?: string }> {
  return new Promise((resolve) => session.on(event, resolve));
}
