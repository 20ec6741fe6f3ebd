import { systemClock } from '../../sip/clock.js';
import { startEngine } from '../../sip/engine/engine.js';
import { defaultTimerBase, type TimerBase } from '../../sip/engine/timers.js';
import { silentLog, type Log } from '../../sip/log.js';

/** Which SIP engine a suite runs against; a drachtio-server is one that somebody else has started. */
export type EngineChoice =
  | { readonly engine: 'embedded' }
  | {
      readonly engine: 'drachtio';
      readonly host: string;
      /** Of the control protocol. */
      readonly port: number;
      readonly secret: string;
      /** Where it takes SIP over UDP and TCP on 127.0.0.1. */
      readonly sipPort: number;
    };

/** A running engine, whichever it is. */
export interface EngineUnderTest {
  readonly engine: EngineChoice['engine'];
  readonly host: string;
  readonly controlPort: number;
  readonly secret: string;
  /** Where it takes SIP on 127.0.0.1. */
  readonly ports: { readonly udp: number; readonly tcp: number };
  /** Longer than the longest transaction can take: 64·T1 (RFC 3261 §17.1.1.2). */
  readonly patienceMs: number;
  /** Entries of the embedded engine's tables; none of a drachtio-server, which does not tell. */
  sizes(): Record<string, number>;
  close(): Promise<void>;
}

interface EngineOptions {
  readonly timers?: TimerBase | undefined;
  readonly log?: Log | undefined;
}

/** In which a drachtio-server has seen that its application is gone; until then it may still hand it calls. */
const noticeMs = 100;
let chosen: EngineChoice = choiceOf(process.env['WEBTRUNK_TEST_ENGINE']);

/** Of the variable in which setup.mjs hands on what stood in the command line. */
function choiceOf(text: string | undefined): EngineChoice {
  return text === undefined ? { engine: 'embedded' } : (JSON.parse(text) as EngineChoice);
}

/** What {@link openEngine} opens from now on. */
export function chooseEngine(choice: EngineChoice): void {
  chosen = choice;
}

export function chosenEngine(): EngineChoice['engine'] {
  return chosen.engine;
}

/**
 * Starts an embedded engine of its own, or names the drachtio-server that is there; that one has its own timers and its
 * own log.
 */
export async function openEngine(options: EngineOptions = {}): Promise<EngineUnderTest> {
  if (chosen.engine === 'drachtio') {
    const { engine, host, port, secret, sipPort } = chosen;
    return {
      engine,
      host,
      controlPort: port,
      secret,
      ports: { udp: sipPort, tcp: sipPort },
      patienceMs: 40_000,
      sizes: () => ({}),
      close: () => new Promise((resolve) => setTimeout(resolve, noticeMs)),
    };
  }
  return openEmbeddedEngine(options);
}

/** An embedded engine, whatever the suite runs with. */
export async function openEmbeddedEngine({
  timers,
  log = silentLog,
}: EngineOptions = {}): Promise<EngineUnderTest> {
  const secret = 'a secret';
  const embedded = await startEngine({
    listen: [
      { transport: 'udp', address: '127.0.0.1', port: 0 },
      { transport: 'tcp', address: '127.0.0.1', port: 0 },
    ],
    secret,
    log,
    clock: systemClock,
    ...(timers === undefined ? {} : { timers }),
  });
  const portOf = (transport: string): number =>
    embedded.local.find((local) => local.transport === transport)?.port ?? 0;
  return {
    engine: 'embedded',
    host: '127.0.0.1',
    controlPort: embedded.controlPort,
    secret,
    ports: { udp: portOf('udp'), tcp: portOf('tcp') },
    patienceMs: 64 * (timers ?? defaultTimerBase).t1Ms + 5000,
    sizes: () => embedded.sizes(),
    close: () => embedded.close(),
  };
}

/** For tests of what drachtio-server cannot do, or that would stop it: skips them there. Told in `docs/drachtio.md`. */
export function requireOwnEngine(context: Mocha.Context): void {
  if (chosen.engine === 'drachtio') context.skip();
}
