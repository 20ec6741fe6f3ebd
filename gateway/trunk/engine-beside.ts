import { randomBytes } from 'node:crypto';
import type { Clock } from '../../sip/clock.js';
import { startEngine, type Engine, type EngineOptions } from '../../sip/engine/engine.js';
import { failure } from '../../sip/failure.js';
import { silentLog } from '../../sip/log.js';
import { connectTrunkStack, type TrunkStack } from '../../sip/trunk/srf.js';
import type { Config } from '../config/config.js';
import { tlsSettingsOf } from './tls-settings.js';

/** An embedded engine and its stack beside those that may be running: for commands that talk to trunks, or rehearse it. */
export interface EngineBeside {
  readonly engine: Engine;
  readonly stack: TrunkStack;
  close(): Promise<void>;
}

type Listen = EngineOptions['listen'];

/** What differs from the engine of the configuration. */
export interface BesideOptions {
  /** Where it listens, given where the gateway does; undefined there with drachtio-server. */
  readonly listen: (own: Listen | undefined) => Listen;
  /** Hears of every message that would leave; then nothing is bound and nothing leaves. */
  readonly rehearsal?: EngineOptions['rehearsal'];
}

/** Starts the embedded engine of the configuration, with no log, and connects to it. It takes no calls. */
export async function openEngineBeside(
  { sip, trunks }: Config,
  { listen, rehearsal }: BesideOptions,
  clock: Clock,
): Promise<EngineBeside> {
  const own = sip.engine === 'embedded' ? sip : undefined;
  const secret = randomBytes(32).toString('hex');
  const engine = await startEngine({
    listen: listen(own?.listen),
    ...(own?.externalAddress === undefined ? {} : { externalAddress: own.externalAddress }),
    ...(own?.nameServers === undefined ? {} : { nameServers: own.nameServers }),
    ...(own?.tls === undefined ? {} : { tls: tlsSettingsOf(own.tls, trunks) }),
    ...(rehearsal === undefined ? {} : { rehearsal }),
    secret,
    log: silentLog,
    clock,
  });
  let connected = (): void => undefined;
  const ready = new Promise<void>((resolve) => (connected = resolve));
  const stack = connectTrunkStack(
    { host: '127.0.0.1', port: engine.controlPort, secret },
    {
      incomingCall: ({ leg }) => leg.hangUp(),
      request: (request) => request.refuse(failure('message.method_not_allowed')),
      isKnown: () => true,
      turnedAway: () => undefined,
      refused: () => undefined,
      frameTooLarge: () => undefined,
      connected,
      disconnected: () => undefined,
    },
    silentLog,
    clock,
  );
  await ready;
  return {
    engine,
    stack,
    async close() {
      await stack.close();
      await engine.close();
    },
  };
}
