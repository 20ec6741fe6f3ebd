import { EmitterImpl, TransportState, type Transport } from 'sip.js';
import { LivenessProbe } from './liveness-probe.js';
import { OutageQueue } from './outage-queue.js';
import { UnconfirmedMessages } from './unconfirmed-messages.js';

export interface SocketOptions {
  /** `ws:` or `wss:` URL. */
  readonly server: string;
  readonly connectTimeoutMs: number;
}

/** The connection was lost or never came up; `code` is the WebSocket close code (RFC 6455 §7.4.1), 1006 when none came. */
export class SocketClosed extends Error {
  override readonly name = 'SocketClosed';

  constructor(
    readonly code: number,
    readonly closeReason: string,
  ) {
    super(`WebSocket closed (code ${code})`);
  }
}

const abnormal = 1006;

/**
 * SIP over WebSocket (RFC 7118) for sip.js. Three things differ from the library's own transport: the close code is
 * told, a silent connection is noticed (RFC 5626 §4.4.1), and messages of running calls wait while it is down or are sent
 * again when it may have lost them.
 */
export class SocketTransport implements Transport {
  onConnect: (() => void) | undefined;
  onDisconnect: ((error?: Error) => void) | undefined;
  onMessage: ((message: string) => void) | undefined;
  /** A message waits for a connection, and there is none. */
  onOwed: (() => void) | undefined;

  readonly stateChange = new EmitterImpl<TransportState>();
  readonly protocol: string;
  private currentState = TransportState.Disconnected;
  private socket: WebSocket | undefined;
  private connecting: Promise<void> | undefined;
  private signedIn = false;
  private readonly queue = new OutageQueue(() => Date.now());
  private readonly unconfirmed = new UnconfirmedMessages(() => Date.now());
  private readonly probe = new LivenessProbe({
    send: () => this.socket?.send('\r\n\r\n'),
    dead: () => this.drop(new SocketClosed(abnormal, 'no answer to a keep-alive')),
  });

  constructor(
    _logger: unknown,
    private readonly options: SocketOptions,
  ) {
    this.protocol = options.server.startsWith('wss:') ? 'WSS' : 'WS';
  }

  get state(): TransportState {
    return this.currentState;
  }

  isConnected(): boolean {
    return this.currentState === TransportState.Connected;
  }

  /** Opens the connection. Rejects with {@link SocketClosed} when it does not come up in time. */
  connect(): Promise<void> {
    if (this.isConnected()) return Promise.resolve();
    this.connecting ??= this.open().finally(() => {
      this.connecting = undefined;
    });
    return this.connecting;
  }

  /** Closes the connection; what waits to be sent is dropped. */
  disconnect(): Promise<void> {
    this.queue.drain();
    this.unconfirmed.drain();
    this.drop(undefined);
    return Promise.resolve();
  }

  dispose(): Promise<void> {
    return this.disconnect();
  }

  /**
   * Sends a message. Until the phone has signed in on this connection the server takes REGISTER only: anything else is
   * kept until {@link openForCalls}. REGISTER itself is never kept; it rejects when there is no connection.
   */
  send(message: string): Promise<void> {
    const isRegister = message.startsWith('REGISTER ');
    const socket = this.isConnected() ? this.socket : undefined;
    if (isRegister && socket === undefined) return Promise.reject(new Error('Not connected.'));
    if (socket === undefined || !(isRegister || this.signedIn)) {
      this.queue.keep(message);
      if (socket === undefined) this.onOwed?.();
    } else this.write(socket, message);
    return Promise.resolve();
  }

  /** To be called once the registrar has accepted us on this connection: what the last one may have lost and what waited goes out. */
  openForCalls(): void {
    const { socket } = this;
    if (this.signedIn || socket === undefined || !this.isConnected()) return;
    this.signedIn = true;
    const messages = new Set([...this.unconfirmed.drain(), ...this.queue.drain()]);
    for (const message of messages) this.write(socket, message);
  }

  /** The other end is still to hear of something, as that a call has ended. */
  get owesMessages(): boolean {
    return this.queue.isWorthSending || this.unconfirmed.isWorthSending;
  }

  /** Asks the other end for a sign of life now, as after sleep or a change of network. */
  check(): void {
    if (this.isConnected()) this.probe.check();
  }

  private open(): Promise<void> {
    this.enter(TransportState.Connecting);
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(this.options.server, 'sip');
      this.socket = socket;
      const timer = setTimeout(
        () => failed(new SocketClosed(abnormal, 'no answer')),
        this.options.connectTimeoutMs,
      );
      const failed = (error: SocketClosed): void => {
        clearTimeout(timer);
        if (this.socket === socket) this.drop(error);
        reject(error);
      };
      socket.addEventListener('open', () => {
        clearTimeout(timer);
        if (this.socket !== socket) return;
        this.probe.start();
        this.enter(TransportState.Connected);
        resolve();
        this.onConnect?.();
      });
      socket.addEventListener('message', (event: MessageEvent<unknown>) => this.received(socket, event.data));
      socket.addEventListener('close', (event) => failed(new SocketClosed(event.code, event.reason)));
    });
  }

  private write(socket: WebSocket, message: string): void {
    socket.send(message);
    this.unconfirmed.sent(message);
  }

  private received(socket: WebSocket, data: unknown): void {
    if (this.socket !== socket || typeof data !== 'string') return;
    this.probe.heard(data);
    if (data.trim() === '') return;
    this.unconfirmed.received(data);
    this.onMessage?.(data);
  }

  /** Lets go of the socket at once: the closing handshake of a dead connection would take minutes. */
  private drop(error: SocketClosed | undefined): void {
    const socket = this.socket;
    if (socket === undefined) return;
    const wasConnected = this.isConnected();
    this.socket = undefined;
    this.signedIn = false;
    this.probe.stop();
    socket.close(1000);
    this.enter(TransportState.Disconnected);
    if (wasConnected) this.onDisconnect?.(error);
  }

  private enter(state: TransportState): void {
    if (this.currentState === state) return;
    this.currentState = state;
    this.stateChange.emit(state);
  }
}
