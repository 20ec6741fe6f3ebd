import { systemClock } from '../../sip/clock.js';
import { startEngine, type Engine, type EngineOptions } from '../../sip/engine/engine.js';
import { silentLog } from '../../sip/log.js';
import { connectSrf, type SrfApp } from './srf-app.js';
import { TcpPeer, UdpPeer } from './sip-peer.js';

export const labSecret = 'a secret';
/** A twentieth of the real values: 64·T1 is 1.6 s. */
export const quickTimers = { t1Ms: 25, t2Ms: 200, t4Ms: 250 };

/** An engine on loopback with applications and hand-driven peers; closes all that it opened. */
export class EngineLab {
  private readonly closers: (() => Promise<void> | void)[] = [];

  private constructor(readonly engine: Engine) {}

  static async start(options: Partial<EngineOptions> = {}): Promise<EngineLab> {
    const engine = await startEngine({
      listen: [
        { transport: 'udp', address: '127.0.0.1', port: 0 },
        { transport: 'tcp', address: '127.0.0.1', port: 0 },
      ],
      secret: labSecret,
      log: silentLog,
      clock: systemClock,
      timers: quickTimers,
      ...options,
    });
    return new EngineLab(engine);
  }

  get udpPort(): number {
    return this.portOf('udp');
  }

  get tcpPort(): number {
    return this.portOf('tcp');
  }

  get tlsPort(): number {
    return this.portOf('tls');
  }

  /** Closes it with everything else. */
  owned<Owned extends { close(): Promise<void> }>(thing: Owned): Owned {
    this.closers.push(() => thing.close());
    return thing;
  }

  async app(): Promise<SrfApp> {
    const srf = await connectSrf(this.engine.controlPort, labSecret);
    srf.on('error', () => undefined);
    this.closers.push(() => srf.disconnect());
    return srf;
  }

  async udpPeer(): Promise<UdpPeer> {
    const peer = await UdpPeer.open(this.udpPort);
    this.closers.push(() => peer.close());
    return peer;
  }

  /** `connected`: it opens a connection to the engine; else it only listens. */
  async tcpPeer(connected: boolean): Promise<TcpPeer> {
    const peer = await TcpPeer.open(connected ? this.tcpPort : undefined);
    this.closers.push(() => peer.close());
    return peer;
  }

  /** Waits until every table but those of connections is empty. */
  async idle(withinMs = 6000): Promise<void> {
    const until = Date.now() + withinMs;
    for (;;) {
      const { clients, connections, ...rest } = this.engine.sizes();
      void clients;
      void connections;
      if (Object.values(rest).every((size) => size === 0)) return;
      if (Date.now() > until) throw new Error(`not idle: ${JSON.stringify(this.engine.sizes())}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async close(): Promise<void> {
    for (const close of this.closers.splice(0).reverse()) await close();
    await this.engine.close();
  }

  private portOf(transport: string): number {
    const found = this.engine.local.find((at) => at.transport === transport);
    if (found === undefined) throw new Error(`no ${transport}`);
    return found.port;
  }
}

/** Lines of a request from a peer. */
export function requestText(
  peer: { port: number; transport: 'UDP' | 'TCP' | 'TLS' },
  parts: {
    method: string;
    port: number;
    callId: string;
    cseq: number;
    branch?: string;
    toTag?: string;
    fromTag?: string;
    uri?: string;
    headers?: string[];
    body?: string;
    contentLength?: boolean;
  },
): string {
  const { method, port, callId, cseq, toTag, fromTag = 'f1', headers = [], body = '' } = parts;
  const uri = parts.uri ?? `sip:svc@127.0.0.1:${port}`;
  const branch = parts.branch ?? `z9hG4bK${Math.random().toString(36).slice(2)}`;
  const transport = peer.transport === 'UDP' ? '' : `;transport=${peer.transport.toLowerCase()}`;
  return [
    `${method} ${uri} SIP/2.0`,
    `Via: SIP/2.0/${peer.transport} 127.0.0.1:${peer.port};branch=${branch}`,
    `From: <sip:alice@127.0.0.1:${peer.port}>;tag=${fromTag}`,
    `To: <sip:svc@127.0.0.1:${port}>${toTag === undefined ? '' : `;tag=${toTag}`}`,
    `Call-ID: ${callId}`,
    `CSeq: ${cseq} ${method}`,
    'Max-Forwards: 70',
    `Contact: <sip:alice@127.0.0.1:${peer.port}${transport}>`,
    ...headers,
    ...(body === '' ? [] : ['Content-Type: application/sdp']),
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}
