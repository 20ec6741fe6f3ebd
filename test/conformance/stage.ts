import { randomUUID } from 'node:crypto';
import { ControlConnection } from '../support/control-connection.js';
import { requestText } from '../support/engine-lab.js';
import { TcpPeer, UdpPeer, type SipPeer } from '../support/sip-peer.js';
import { connectSrf, type SrfApp } from '../support/srf-app.js';
import { ControlTap } from './control-tap.js';
import { openEngine, type EngineUnderTest } from '../support/engine-under-test.js';
import { transcriptOf, type Recording } from './transcript.js';

const quietMs = 150;
/** A tenth of the real values: 64·T1 is 3.2 s. */
const timers = { t1Ms: 50, t2Ms: 400, t4Ms: 500 };

/** One scenario's engine, applications and peers, all recorded. */
export class Stage {
  readonly #events: string[] = [];
  readonly #peers: { name: string; peer: SipPeer; sent: string[] }[] = [];
  readonly #apps: { name: string; tap: ControlTap; srf: SrfApp | undefined }[] = [];
  readonly #controls: ControlConnection[] = [];
  readonly #run = randomUUID().slice(0, 8);

  private constructor(readonly engine: EngineUnderTest) {}

  static async open(): Promise<Stage> {
    return new Stage(await openEngine({ timers }));
  }

  /** A Call-ID that no other run has. */
  callId(name: string): string {
    return `${name}-${this.#run}`;
  }

  note(event: string): void {
    this.#events.push(event);
  }

  /** A drachtio-srf application. */
  async app(name = 'application'): Promise<SrfApp> {
    const tap = await this.#tap(name);
    const srf = await connectSrf(tap.port, this.engine.secret);
    srf.on('error', () => undefined);
    this.#apps.push({ name, tap, srf });
    return srf;
  }

  /** A connection that writes what it is told; authenticated when a secret is given. */
  async control(secret: string | undefined, name = 'application'): Promise<ControlConnection> {
    const tap = await this.#tap(name);
    this.#apps.push({ name, tap, srf: undefined });
    const control = await ControlConnection.open(tap.port, secret);
    this.#controls.push(control);
    return control;
  }

  /** Drops the connection of an application. */
  crash(name = 'application'): void {
    this.#apps.find((app) => app.name === name)?.tap.cut();
  }

  /** Waits until the engine has answered all frames of every application: its routes are there. */
  async routed(): Promise<void> {
    await this.until(
      () => this.#apps.every(({ tap }) => tap.toEngine.length > 1 && tap.unanswered === 0),
      'unanswered frames',
    );
  }

  async udpPeer(name: string): Promise<UdpPeer> {
    return this.#recorded(name, await UdpPeer.open(this.engine.ports.udp));
  }

  async tcpPeer(name: string, connected: boolean): Promise<TcpPeer> {
    return this.#recorded(name, await TcpPeer.open(connected ? this.engine.ports.tcp : undefined));
  }

  uri(peer: SipPeer, user = 'bob'): string {
    return `sip:${user}@127.0.0.1:${peer.port};transport=${peer.transport.toLowerCase()}`;
  }

  /** Where the engine takes what that peer sends. */
  portFor(peer: SipPeer): number {
    return this.engine.ports[peer.transport === 'TCP' ? 'tcp' : 'udp'];
  }

  /** A request from a peer to the engine. */
  request(peer: SipPeer, parts: Omit<Parameters<typeof requestText>[1], 'port'>): void {
    peer.send(requestText(peer, { port: this.portFor(peer), ...parts }));
  }

  async until(condition: () => boolean, what: string, withinMs = this.engine.patienceMs): Promise<void> {
    const end = Date.now() + withinMs;
    while (!condition()) {
      if (Date.now() > end) throw new Error(`${what} after ${withinMs} ms`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Resolves when nothing has been said for a moment. */
  async quiet(): Promise<void> {
    let count = -1;
    while (count !== this.#count()) {
      count = this.#count();
      await new Promise((resolve) => setTimeout(resolve, quietMs));
    }
  }

  transcript(): string[] {
    const recording: Recording = {
      peers: this.#peers.map(({ name, peer, sent }) => ({
        name,
        port: peer.port,
        received: peer.seen.map(({ text }) => text),
        sent,
      })),
      apps: this.#apps.map(({ name, tap: { toApp, toEngine } }) => ({ name, toApp, toEngine })),
      events: this.#events,
      enginePorts: Object.values(this.engine.ports),
      run: this.#run,
    };
    return transcriptOf(recording);
  }

  async close(): Promise<void> {
    for (const control of this.#controls) control.close();
    for (const { srf } of this.#apps) srf?.disconnect();
    for (const { tap } of this.#apps) await tap.close();
    for (const { peer } of this.#peers) await peer.close();
    await this.engine.close();
  }

  #count(): number {
    const frames = this.#apps.reduce((sum, { tap }) => sum + tap.toApp.length + tap.toEngine.length, 0);
    return this.#peers.reduce(
      (sum, { peer }) => sum + new Set(peer.seen.map(({ text }) => text)).size,
      frames,
    );
  }

  async #tap(name: string): Promise<ControlTap> {
    if (this.#apps.some((app) => app.name === name)) throw new Error(`a second ${name}`);
    return ControlTap.open(this.engine.host, this.engine.controlPort);
  }

  #recorded<P extends SipPeer>(name: string, peer: P): P {
    const sent: string[] = [];
    const send = peer.send.bind(peer);
    peer.send = (text) => {
      sent.push(text);
      send(text);
    };
    this.#peers.push({ name, peer, sent });
    return peer;
  }
}
