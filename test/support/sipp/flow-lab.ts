import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import type { Clock } from '../../../sip/clock.js';
import type { TlsSettings } from '../../../sip/engine/transport/tls-trust.js';
import { EngineLab, labSecret } from '../engine-lab.js';
import { freePort } from '../free-port.js';
import { startSipp, type RunningSipp } from '../run-sipp.js';
import { connectSrf, type SrfApp, type SrfRequest, type SrfResponse } from '../srf-app.js';
import type { TestAuthority } from '../test-certificate.js';
import { ScaledClock } from './scaled-clock.js';
import type { Script } from './script.js';
import { bridgedTls, TlsBridge } from './tls-bridge.js';

export type FlowTransport = 'udp' | 'tcp' | 'tls';

/** As fast as this against real time: 90 s, the shortest session interval, take 1.2 s. */
const speed = 75;
/** In real time: long enough that nothing comes again only because the machine is busy. */
const realT1Ms = 200;
const timers = { t1Ms: realT1Ms * speed, t2Ms: 8 * realT1Ms * speed, t4Ms: 10 * realT1Ms * speed };
const lifetimeMs = 64 * timers.t1Ms;
const calls = 3;
/** What the application has to see the end of a call when SIPp has. */
const patienceMs = 2000;

/** Lets 64·T1 pass when all calls of the flow have asked for it: what waits for an answer gives up. */
export type GiveUp = () => void;

/** One call that comes from SIPp. */
export interface TakenCall {
  readonly app: SrfApp;
  readonly request: SrfRequest;
  readonly response: SrfResponse;
  readonly giveUp: GiveUp;
}

/** For the engine. Where it stands still nothing is sent again, however busy the machine is. */
export type Time = 'stands' | 'runs';

/** What the application does with one call; done when it has seen the end of it. */
export type Take = (call: TakenCall) => Promise<unknown>;
export type Make = (app: SrfApp, uri: string, giveUp: GiveUp) => Promise<unknown>;

/** The engine has UDP and TCP, between which it may choose, or TLS alone. */
function startEngineLab(clock: Clock, tls?: TlsSettings): Promise<EngineLab> {
  const transports: readonly FlowTransport[] = tls === undefined ? ['udp', 'tcp'] : ['tls'];
  const listen = transports.map((transport) => ({ transport, address: '127.0.0.1', port: 0 }));
  return EngineLab.start({ listen, clock, timers, ...(tls === undefined ? {} : { tls }) });
}

/** Call flows between an application on the embedded engine and SIPp, several calls at once. */
export class FlowLab {
  private readonly running: RunningSipp[] = [];

  private constructor(
    private readonly program: string,
    readonly transport: FlowTransport,
    private readonly lab: EngineLab,
    private readonly clock: ScaledClock,
    private readonly bridge?: TlsBridge,
  ) {}

  static async start(sipp: string, transport: 'udp' | 'tcp'): Promise<FlowLab> {
    const clock = new ScaledClock(speed);
    return new FlowLab(sipp, transport, await startEngineLab(clock), clock);
  }

  /** With stunnel in front of SIPp. */
  static async startTls(sipp: string, stunnel: string, authority: TestAuthority): Promise<FlowLab> {
    const clock = new ScaledClock(speed);
    const lab = await startEngineLab(clock, bridgedTls(authority));
    const bridge = lab.owned(await TlsBridge.start(stunnel, authority, lab.tlsPort));
    return new FlowLab(sipp, 'tls', lab, clock, bridge);
  }

  /** SIPp plays the caller. */
  callsIn(script: Script, take: Take, time: Time): Promise<void> {
    return this.withApp(time, async (app, giveUp) => {
      const taken: Promise<unknown>[] = [];
      // Credentials and redirections bring an INVITE again.
      app.invite((request, response) => {
        const outcome = take({ app, request, response, giveUp });
        outcome.catch(() => undefined);
        taken.push(outcome);
      });
      const { lab, transport, bridge } = this;
      const target = bridge?.towardsEngine ?? (transport === 'udp' ? lab.udpPort : lab.tcpPort);
      const port = await freePort();
      await assertPlayed(this.run(script, port, port, target), taken);
    });
  }

  /** SIPp plays the callee. */
  callsOut(script: Script, make: Make, time: Time): Promise<void> {
    return this.withApp(time, async (app, giveUp) => {
      const port = this.bridge?.sipp ?? (await freePort());
      const reachable = this.bridge?.towardsSipp ?? port;
      const sipp = this.run(script, port, reachable);
      await sipp.listening;
      const uri = `sip:callee@127.0.0.1:${reachable};transport=${this.transport}`;
      await assertPlayed(
        sipp,
        Array.from({ length: calls }, () => make(app, uri, giveUp)),
      );
    });
  }

  /** Waits until nothing is left of any call, not even of its transactions. */
  idle(): Promise<void> {
    this.clock.advance(lifetimeMs);
    return this.lab.idle();
  }

  async close(): Promise<void> {
    for (const sipp of this.running) sipp.stop();
    await this.lab.close();
    await this.clock.close();
  }

  /** `reachable` is where SIPp's port can be reached from the engine. */
  private run(scenario: Script, port: number, reachable: number, target?: number): RunningSipp {
    const { program, transport } = this;
    const sipp = startSipp({
      program,
      scenario,
      transport: transport === 'udp' ? 'udp' : 'tcp',
      port,
      ...(target === undefined ? {} : { target }),
      calls,
      callsPerSecond: 100,
      seesRetransmissions: true,
      receiveWithinMs: 3000,
      front: { transport, port: reachable },
      timeoutSeconds: 5,
    });
    this.running.push(sipp);
    return sipp;
  }

  /** The application is there for one flow, so that none takes the calls of another. */
  private async withApp(time: Time, play: (app: SrfApp, giveUp: GiveUp) => Promise<void>): Promise<void> {
    const app = await connectSrf(this.lab.engine.controlPort, labSecret);
    app.on('error', () => undefined);
    let given = 0;
    const giveUp = (): void => {
      given += 1;
      if (given === calls) this.clock.advance(lifetimeMs);
    };
    this.clock.isRunning = time === 'runs';
    try {
      await play(app, giveUp);
      // Forks that were not answered go with the transaction (RFC 6026 timer M).
      this.clock.advance(lifetimeMs);
      const { dialogs, pendingRequests, pendingInvites } = this.lab.engine.sizes();
      assert.deepEqual([dialogs, pendingRequests, pendingInvites], [0, 0, 0]);
    } finally {
      this.clock.isRunning = false;
      app.disconnect();
    }
  }
}

/** `outcomes` may grow while SIPp runs. */
async function assertPlayed(sipp: RunningSipp, outcomes: readonly Promise<unknown>[]): Promise<void> {
  const { successful, failed, errors } = await sipp.result;
  const seen = await Promise.all(outcomes.map(shortly));
  assert.deepEqual(
    { successful, failed, seen },
    { successful: calls, failed: 0, seen: seen.map(() => 'done') },
    `${errors}\nThe application: ${seen.join(', ')}`,
  );
}

/** What became of one call in the application. */
function shortly(outcome: Promise<unknown>): Promise<string> {
  const late = setTimeout(patienceMs, 'waits for something', { ref: false });
  return Promise.race([outcome.then(() => 'done', String), late]);
}
