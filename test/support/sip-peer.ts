import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket as TcpSocket } from 'node:net';
import {
  parseMessage,
  StreamFramer,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from '../../sip/message/index.js';

/** A received message with the bytes as text. */
export type Seen = SipMessage & { readonly text: string };

/** Hand-written SDP, long enough to be told from another by its port. */
export function sdp(port: number): string {
  return [
    'v=0',
    `o=u ${port} 1 IN IP4 127.0.0.1`,
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    `m=audio ${port} RTP/AVP 0`,
    'a=rtpmap:0 PCMU/8000',
    'a=sendrecv',
    '',
  ].join('\r\n');
}

/** A SIP peer that does only what the test tells it: no transactions, no retransmissions. */
export abstract class SipPeer {
  /** Everything received, in order. */
  readonly seen: Seen[] = [];
  /** Answers to malformed requests can be malformed where they copy them. */
  readonly unreadable: string[] = [];
  /** Called for each message; answers it when set. */
  onMessage: ((message: Seen) => void) | undefined;
  private readonly waiting: { matches: (message: Seen) => boolean; take: (message: Seen) => void }[] = [];
  private position = 0;

  abstract readonly port: number;
  abstract readonly transport: 'UDP' | 'TCP' | 'TLS';
  abstract send(text: string): void;
  abstract close(): Promise<void>;

  /** The next message, not yet returned by this method, that matches; waits for it. */
  async next(matches: (message: Seen) => boolean = () => true, withinMs = 5000): Promise<Seen> {
    for (; this.position < this.seen.length; this.position += 1) {
      const message = this.seen[this.position];
      if (message !== undefined && matches(message)) {
        this.position += 1;
        return message;
      }
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(
          new Error(
            `no such message within ${withinMs} ms; seen:\n${this.seen.map(({ text }) => text).join('\n')}`,
          ),
        );
      }, withinMs);
      this.waiting.push({
        matches,
        take: (message) => {
          clearTimeout(timer);
          this.position = this.seen.length;
          resolve(message);
        },
      });
    });
  }

  /** The next response with that status. */
  async status(status: number, method?: string, withinMs?: number): Promise<SipResponse & Seen> {
    const found = await this.next(
      (message) =>
        message.kind === 'response' &&
        message.status === status &&
        (method === undefined || message.cseq.method === method),
      withinMs,
    );
    if (found.kind !== 'response') throw new Error('not a response');
    return found;
  }

  /** The next request with that method. */
  async request(method: string, withinMs?: number): Promise<SipRequest & Seen> {
    const found = await this.next(
      (message) => message.kind === 'request' && message.method === method,
      withinMs,
    );
    if (found.kind !== 'request') throw new Error('not a request');
    return found;
  }

  /** Whether nothing that matches arrives in that time. */
  async silent(matches: (message: Seen) => boolean, forMs: number): Promise<boolean> {
    const before = this.position;
    try {
      await this.next(matches, forMs);
      return false;
    } catch {
      this.waiting.length = 0;
      this.position = before;
      return true;
    }
  }

  /** Answers a request as a UAS would; `toTag` is added unless there is one. */
  respond(
    request: SipRequest,
    status: number,
    reason: string,
    options: { toTag?: string; headers?: string[]; body?: string } = {},
  ): void {
    const {
      toTag = 'peer',
      headers = [
        `Contact: <sip:peer@127.0.0.1:${this.port}${this.transport === 'UDP' ? '' : `;transport=${this.transport.toLowerCase()}`}>`,
      ],
      body = '',
    } = options;
    const to = request.headers.get('to') ?? '';
    this.send(
      [
        `SIP/2.0 ${status} ${reason}`,
        ...request.headers.getAll('via').map((via) => `Via: ${via}`),
        ...request.headers.getAll('record-route').map((route) => `Record-Route: ${route}`),
        `From: ${request.headers.get('from') ?? ''}`,
        `To: ${/;\s*tag=/.test(to) || status === 100 ? to : `${to};tag=${toTag}`}`,
        `Call-ID: ${request.callId}`,
        `CSeq: ${request.cseq.number} ${request.cseq.method}`,
        ...headers,
        ...(body === '' ? [] : ['Content-Type: application/sdp']),
        `Content-Length: ${Buffer.byteLength(body)}`,
        '',
        body,
      ].join('\r\n'),
    );
  }

  protected take(bytes: Buffer): void {
    const message = parseMessage(bytes);
    if (message.kind === 'failure') {
      this.unreadable.push(bytes.toString());
      return;
    }
    const seen = Object.assign(message, { text: bytes.toString() });
    this.seen.push(seen);
    const index = this.waiting.findIndex(({ matches }) => matches(seen));
    const [waiter] = index < 0 ? [] : this.waiting.splice(index, 1);
    waiter?.take(seen);
    this.onMessage?.(seen);
  }
}

export class UdpPeer extends SipPeer {
  readonly transport = 'UDP';

  private constructor(
    private readonly socket: Socket,
    public target: number,
  ) {
    super();
    socket.on('message', (bytes) => this.take(bytes));
  }

  /** Binds a port of its own on that loopback address; messages go to `target` on 127.0.0.1. */
  static async open(target: number, address = '127.0.0.1'): Promise<UdpPeer> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, address, resolve));
    return new UdpPeer(socket, target);
  }

  get port(): number {
    return this.socket.address().port;
  }

  /** Messages go to another port of 127.0.0.1 from now on. */
  aim(target: number): void {
    this.target = target;
  }

  send(text: string | Buffer): void {
    this.socket.send(text, this.target, '127.0.0.1');
  }

  /** Closes the socket once what was given to it is sent: each datagram waits a turn for its address. */
  async close(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise<void>((resolve) => this.socket.close(() => resolve()));
  }
}

export class TcpPeer extends SipPeer {
  readonly transport = 'TCP';
  /** Bytes outside messages, such as keep-alive answers. */
  readonly raw: Buffer[] = [];
  private socket: TcpSocket | undefined;
  private framer = new StreamFramer();

  private constructor(private readonly server: Server) {
    super();
    server.on('connection', (socket) => this.use(socket));
  }

  /** Listens on `port`, or one of its own; `target` given, it also connects there. Rejects when the port is taken. */
  static async open(target?: number, port = 0): Promise<TcpPeer> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    const peer = new TcpPeer(server);
    if (target !== undefined) await peer.connect(target);
    return peer;
  }

  async connect(target: number): Promise<void> {
    const socket = connect(target, '127.0.0.1');
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    this.use(socket);
  }

  get port(): number {
    const bound = this.server.address();
    if (bound === null || typeof bound === 'string') throw new Error('not listening');
    return bound.port;
  }

  get isConnected(): boolean {
    return this.socket !== undefined && !this.socket.destroyed;
  }

  send(text: string | Buffer): void {
    this.socket?.write(text);
  }

  /** Resolves when the other side has closed the connection. */
  async hungUp(): Promise<void> {
    if (this.socket !== undefined && !this.socket.closed) await once(this.socket, 'close');
  }

  /** Resolves when so many bytes have come through the connection. */
  async bytes(count: number): Promise<void> {
    while (Buffer.concat(this.raw).length < count && this.socket !== undefined)
      await once(this.socket, 'data');
  }

  /** Closes the connection, not the listener. */
  hangUp(): void {
    this.socket?.destroy();
  }

  async close(): Promise<void> {
    this.socket?.destroy();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private use(socket: TcpSocket): void {
    this.socket = socket;
    this.framer = new StreamFramer();
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      this.raw.push(chunk);
      for (const event of this.framer.push(chunk)) if (event.kind === 'message') this.take(event.bytes);
    });
  }
}
