import { systemClock, type Clock } from '../../sip/clock.js';
import type { TimerBase } from '../../sip/engine/timers.js';
import type { SipFailure } from '../../sip/failure.js';
import type {
  CalleeAnswer,
  CalleeLeg,
  CalleeListener,
  CalleeProgress,
  HeaderView,
  IncomingCall,
  InDialogRequest,
  Invitation,
  LegEnd,
  LegListener,
  OutOfDialogRequest,
  Reoffer,
} from '../../sip/leg.js';
import { silentLog, type Log } from '../../sip/log.js';
import {
  connectTrunkStack,
  type TrunkSource,
  type TrunkStack,
  type TrunkTarget,
} from '../../sip/trunk/srf.js';
import { openEngine, type EngineUnderTest } from './engine-under-test.js';
import { newBranch } from '../../sip/message/index.js';
import { EventLog } from './event-log.js';
import { sdp, UdpPeer } from './sip-peer.js';

export interface StackEvents {
  call: { readonly call: IncomingCall; readonly source: TrunkSource; readonly leg: LegLog };
  request: { readonly request: OutOfDialogRequest; readonly source: TrunkSource };
  turnedAway: { readonly method: string; readonly source: TrunkSource };
  refused: { readonly method: string; readonly source: TrunkSource; readonly why: SipFailure };
  connected: undefined;
  disconnected: SipFailure;
  frameTooLarge: number;
}

export interface LegEvents {
  reoffer: Reoffer;
  request: InDialogRequest;
  ended: LegEnd;
  progress: CalleeProgress;
  answered: CalleeAnswer;
  failed: { readonly failure: SipFailure; readonly headers: HeaderView | undefined };
}

/** What happens to one leg. */
export class LegLog extends EventLog<LegEvents> implements CalleeListener, LegListener {
  reoffer(reoffer: Reoffer): void {
    this.push('reoffer', reoffer);
  }
  request(request: InDialogRequest): void {
    this.push('request', request);
  }
  ended(end: LegEnd): void {
    this.push('ended', end);
  }
  progress(progress: CalleeProgress): void {
    this.push('progress', progress);
  }
  answered(answer: CalleeAnswer): void {
    this.push('answered', answer);
  }
  failed(failure: SipFailure, headers?: HeaderView): void {
    this.push('failed', { failure, headers });
  }
}

export interface RigOptions {
  readonly timers?: TimerBase;
  readonly log?: Log;
  /** Takes calls in place of `events`. */
  readonly incoming?: (call: IncomingCall) => void;
  /** Everybody is, when not given. */
  readonly isKnown?: (source: TrunkSource) => boolean;
  /** Of the trunk stack only. */
  readonly clock?: Clock;
}

/** The engine under test, a trunk stack connected to it, and a hand-driven SIP peer over UDP. */
export class TrunkRig {
  readonly events = new EventLog<StackEvents>();
  /** In the ids of the peer's requests: an engine that is not our own remembers those of other tests. */
  readonly #run = newBranch().slice(-8);
  #legs = 0;

  private constructor(
    readonly engine: EngineUnderTest,
    readonly peer: UdpPeer,
    readonly stack: TrunkStack,
    events: EventLog<StackEvents>,
  ) {
    this.events = events;
  }

  static async start(options: RigOptions = {}): Promise<TrunkRig> {
    const engine = await openEngine({ timers: options.timers, log: options.log });
    const events = new EventLog<StackEvents>();
    const peer = await UdpPeer.open(engine.ports.udp);
    const { clock = systemClock, log = silentLog } = options;
    const address = { host: engine.host, port: engine.controlPort, secret: engine.secret };
    const { incoming, isKnown } = options;
    const listener = {
      ...listenerFor(events),
      ...(incoming === undefined ? {} : { incomingCall: incoming }),
      ...(isKnown === undefined ? {} : { isKnown }),
    };
    const stack = connectTrunkStack(address, listener, log, clock);
    await events.next('connected');
    return new TrunkRig(engine, peer, stack, events);
  }

  get port(): number {
    return this.portOf('udp');
  }

  /** Where the engine listens. */
  portOf(transport: 'udp' | 'tcp'): number {
    return this.engine.ports[transport];
  }

  /** Invites the peer. */
  invite(
    target: Partial<TrunkTarget> = {},
    invitation: Partial<Invitation> = {},
  ): { leg: CalleeLeg; log: LegLog } {
    this.#legs += 1;
    const log = new LegLog();
    const full: Invitation = {
      legId: `l_${this.#legs}`,
      sdp: sdp(7000),
      from: { uri: 'sip:alice@gw.example', displayName: 'Alice "A" Ä' },
      to: { uri: `sip:600@127.0.0.1:${this.peer.port};user=phone` },
      headers: [['Max-Forwards', '69']],
      ...invitation,
    };
    const leg = this.stack.invite(
      { requestUri: `sip:600@127.0.0.1:${this.peer.port}`, ...target },
      full,
      log,
    );
    return { leg, log };
  }

  /** The Call-ID of the peer's call `id`. */
  callId(id: string): string {
    return `${id}-${this.#run}`;
  }

  /** An INVITE of the peer's, with `lines` added to its header. */
  sendInvite(id: string, lines: readonly string[] = [], body = sdp(6000)): void {
    this.send('INVITE', id, { lines, body });
  }

  /** Any request of the peer's in the call `id`. */
  send(
    method: string,
    id: string,
    options: { cseq?: number; toTag?: string; lines?: readonly string[]; body?: string; type?: string } = {},
  ): void {
    const { cseq = 1, toTag, lines = [], body = '', type = 'application/sdp' } = options;
    const { port } = this.peer;
    const branch = method === 'CANCEL' ? 'INVITE' : method;
    this.peer.send(
      [
        `${method} sip:alice@127.0.0.1:${this.port} SIP/2.0`,
        `Via: SIP/2.0/UDP 127.0.0.1:${port};branch=z9hG4bK${this.#run}${id}${branch}${cseq};rport`,
        'Max-Forwards: 70',
        `From: "Bob" <sip:bob@127.0.0.1:${port}>;tag=b-${id}`,
        `To: <sip:alice@127.0.0.1:${this.port}>${toTag === undefined ? '' : `;tag=${toTag}`}`,
        `Call-ID: ${this.callId(id)}`,
        `CSeq: ${cseq} ${method}`,
        `Contact: <sip:bob@127.0.0.1:${port}>`,
        ...lines,
        ...(body === '' ? [] : [`Content-Type: ${type}`]),
        `Content-Length: ${Buffer.byteLength(body)}`,
        '',
        body,
      ].join('\r\n'),
    );
  }

  /** Answers nothing is left of any call, here or in the engine. */
  leftovers(): Record<string, number> {
    const { engine, stack } = this;
    const tables = Object.entries({ ...engine.sizes(), ...stack.sizes() });
    return Object.fromEntries(
      tables.filter(([name, size]) => size !== 0 && name !== 'clients' && name !== 'connections'),
    );
  }

  /** Waits until nothing is left of any call in the stack. */
  async settled(withinMs = 3000): Promise<void> {
    const until = Date.now() + withinMs;
    while (Object.values(this.stack.sizes()).some((size) => size !== 0)) {
      if (Date.now() > until) throw new Error(`left: ${JSON.stringify(this.stack.sizes())}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async close(): Promise<void> {
    await this.stack.close();
    await this.engine.close();
    await this.peer.close();
  }
}

/** A listener that takes every call and only notes what happens. */
export function listenerFor(events: EventLog<StackEvents>) {
  return {
    incomingCall(call: IncomingCall, source: TrunkSource): void {
      const leg = new LegLog();
      call.leg.listen(leg);
      events.push('call', { call, source, leg });
    },
    request: (request: OutOfDialogRequest, source: TrunkSource) =>
      events.push('request', { request, source }),
    isKnown: () => true,
    turnedAway: (method: string, source: TrunkSource) => events.push('turnedAway', { method, source }),
    refused: (method: string, source: TrunkSource, why: SipFailure) =>
      events.push('refused', { method, source, why }),
    connected: () => events.push('connected', undefined),
    disconnected: (why: SipFailure) => events.push('disconnected', why),
    frameTooLarge: (sizeBytes: number) => events.push('frameTooLarge', sizeBytes),
  };
}
