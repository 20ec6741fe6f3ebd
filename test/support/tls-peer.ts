import { connect, createServer, type Server, type TLSSocket } from 'node:tls';
import { StreamFramer } from '../../sip/message/index.js';
import { SipPeer } from './sip-peer.js';
import type { TestCertificate } from './test-certificate.js';

export interface TlsPeerOptions extends TestCertificate {
  /** PEM authorities whose certificates it wants to see. */
  readonly clientCa?: string;
}

/** A SIP peer over TLS that does only what the test tells it. */
export class TlsPeer extends SipPeer {
  readonly transport = 'TLS';
  /** The names that were asked for by SNI. */
  readonly serverNames: string[] = [];
  /** Common names of the certificates that it was shown. */
  readonly shown: string[] = [];
  connections = 0;
  private socket: TLSSocket | undefined;
  private readonly sockets = new Set<TLSSocket>();

  private constructor(private readonly server: Server) {
    super();
    server.on('secureConnection', (socket) => {
      this.connections += 1;
      this.shown.push(socket.getPeerCertificate().subjectaltname ?? '');
      this.serverNames.push(typeof socket.servername === 'string' ? socket.servername : '');
      this.use(socket);
    });
    server.on('tlsClientError', () => undefined);
  }

  /** Listens on a port of its own. */
  static async open({ cert, key, clientCa }: TlsPeerOptions): Promise<TlsPeer> {
    const isMutual = clientCa !== undefined;
    const mutual = isMutual ? { ca: clientCa, requestCert: true, rejectUnauthorized: true } : {};
    const server = createServer({ cert, key, ...mutual });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new TlsPeer(server);
  }

  /** Connects to the engine and resolves with the certificate that it shows; rejects when the engine refuses. */
  async connect(port: number, ca: string, own?: TestCertificate): Promise<string> {
    const shown = own === undefined ? {} : { cert: own.cert, key: own.key };
    const socket = connect({ host: '127.0.0.1', port, ca, servername: 'localhost', ...shown });
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', resolve);
      socket.once('error', reject);
    });
    this.use(socket);
    return socket.getPeerCertificate().fingerprint256;
  }

  get port(): number {
    const bound = this.server.address();
    if (bound === null || typeof bound === 'string') throw new Error('not listening');
    return bound.port;
  }

  /** Resolves when the engine has closed the latest connection. */
  async hungUp(): Promise<void> {
    const { socket } = this;
    if (socket !== undefined && !socket.closed) await new Promise((resolve) => socket.once('close', resolve));
  }

  send(text: string): void {
    this.socket?.write(text);
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private use(socket: TLSSocket): void {
    this.socket = socket;
    this.sockets.add(socket);
    const framer = new StreamFramer();
    socket.on('error', () => undefined);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      for (const event of framer.push(chunk)) if (event.kind === 'message') this.take(event.bytes);
    });
  }
}
