import assert from 'node:assert/strict';
import type { Clock } from '../../../sip/clock.js';
import { systemClock } from '../../../sip/clock.js';
import { EngineLab, labSecret, quickTimers } from '../engine-lab.js';
import { freePort } from '../free-port.js';
import { startSipp, type RunningSipp } from '../run-sipp.js';
import { connectSrf, type SrfApp, type SrfRequest, type SrfResponse } from '../srf-app.js';
import type { Script } from './script.js';

export type FlowTransport = 'udp' | 'tcp';
export const flowTransports: readonly FlowTransport[] = ['udp', 'tcp'];

/** Runs this many times as fast as real time: 90 s, the shortest session interval, take 0.9 s. */
const speed = 100;
const calls = 3;
/** What the application has to see the end of a call when SIPp has. */
const patienceMs = 2000;
/** Longer than 64·T1. */
const clearMs = 2500;

const fastClock: Clock = {
  nowMs: () => systemClock.nowMs() * speed,
  after: (delayMs, act) => systemClock.after(delayMs / speed, act),
  every: (periodMs, act) => systemClock.every(periodMs / speed, act),
};

/** In real time as {@link quickTimers}. */
const timers = {
  t1Ms: quickTimers.t1Ms * speed,
  t2Ms: quickTimers.t2Ms * speed,
  t4Ms: quickTimers.t4Ms * speed,
};

/** By the fast clock the event loop is always late. */
const overload = { waiting: 100, lateMs: Number.MAX_SAFE_INTEGER, onTimeMs: Number.MAX_SAFE_INTEGER };

/** One call that comes from SIPp. */
export interface TakenCall {
  readonly app: SrfApp;
  readonly request: SrfRequest;
  readonly response: SrfResponse;
}

/** What the application does with one call; done when it has seen the end of it. */
export type Take = (call: TakenCall) => Promise<void>;
export type Make = (app: SrfApp, uri: string) => Promise<void>;

/** Call flows between an application on the embedded engine and SIPp, several calls at once. */
export class FlowLab {
  private readonly running: RunningSipp[] = [];

  private constructor(
    private readonly program: string,
    private readonly lab: EngineLab,
  ) {}

  static async start(program: string): Promise<FlowLab> {
    return new FlowLab(program, await EngineLab.start({ clock: fastClock, timers, overload }));
  }

  /** SIPp plays the caller. */
  callsIn(transport: FlowTransport, script: Script, take: Take): Promise<void> {
    return this.withApp(async (app) => {
      const taken: Promise<void>[] = [];
      // Credentials and redirections bring an INVITE again.
      app.invite((request, response) => {
        const outcome = take({ app, request, response });
        outcome.catch(() => undefined);
        taken.push(outcome);
      });
      const target = transport === 'udp' ? this.lab.udpPort : this.lab.tcpPort;
      const sipp = this.run(transport, script, await freePort(), target);
      await assertPlayed(sipp, taken);
    });
  }

  /** SIPp plays the callee. */
  callsOut(transport: FlowTransport, script: Script, make: Make): Promise<void> {
    return this.withApp(async (app) => {
      const port = await freePort();
      const sipp = this.run(transport, script, port);
      await sipp.listening;
      const uri = `sip:callee@127.0.0.1:${port};transport=${transport}`;
      await assertPlayed(
        sipp,
        Array.from({ length: calls }, () => make(app, uri)),
      );
    });
  }

  /** Waits until nothing is left of any call, not even of its transactions. */
  idle(): Promise<void> {
    return this.lab.idle();
  }

  async close(): Promise<void> {
    for (const sipp of this.running) sipp.stop();
    await this.lab.close();
  }

  private run(transport: FlowTransport, scenario: Script, port: number, target?: number): RunningSipp {
    const sipp = startSipp({
      program: this.program,
      scenario,
      transport,
      port,
      ...(target === undefined ? {} : { target }),
      calls,
      callsPerSecond: 100,
      seesRetransmissions: true,
      receiveWithinMs: 3000,
      values: {
        via: `${transport.toUpperCase()} 127.0.0.1:${port}`,
        reachable: `127.0.0.1:${port};transport=${transport}`,
      },
      timeoutSeconds: 5,
    });
    this.running.push(sipp);
    return sipp;
  }

  /** Waits until no call is left: forks that were not answered go with the transaction (RFC 6026 timer M). */
  private async cleared(): Promise<void> {
    const until = Date.now() + clearMs;
    for (;;) {
      const { dialogs, pendingRequests, pendingInvites } = this.lab.engine.sizes();
      const open = { dialogs, pendingRequests, pendingInvites };
      if (Object.values(open).every((size) => size === 0)) return;
      if (Date.now() > until) throw new Error(`left: ${JSON.stringify(open)}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** The application is there for one flow, so that none takes the calls of another. */
  private async withApp(play: (app: SrfApp) => Promise<void>): Promise<void> {
    const app = await connectSrf(this.lab.engine.controlPort, labSecret);
    app.on('error', () => undefined);
    try {
      await play(app);
      await this.cleared();
    } finally {
      app.disconnect();
    }
  }
}

/** `outcomes` may grow while SIPp runs. */
async function assertPlayed(sipp: RunningSipp, outcomes: readonly Promise<void>[]): Promise<void> {
  const { successful, failed, errors } = await sipp.result;
  const seen = await Promise.all(outcomes.map(shortly));
  assert.deepEqual(
    { successful, failed, seen },
    { successful: calls, failed: 0, seen: seen.map(() => 'done') },
    `${errors}\nThe application: ${seen.join(', ')}`,
  );
}

/** What became of one call in the application. */
function shortly(outcome: Promise<void>): Promise<string> {
  const late = new Promise<string>((resolve) => {
    setTimeout(() => resolve('waits for something'), patienceMs).unref();
  });
  return Promise.race([outcome.then(() => 'done', String), late]);
}
