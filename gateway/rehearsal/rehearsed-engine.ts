import { randomBytes } from 'node:crypto';
import type { Clock } from '../../sip/clock.js';
import { startEngine } from '../../sip/engine/engine.js';
import type { RehearsedMessage } from '../../sip/engine/transport/rehearsed-channel.js';
import { silentLog } from '../../sip/log.js';
import { connectTrunkStack, type TrunkStack } from '../../sip/trunk/srf.js';
import type { Config } from '../config/config.js';
import { tlsSettingsOf } from '../trunk/tls-settings.js';

/** The SIP engine and its stack as they run in the gateway, but that nothing is bound and nothing leaves. */
export interface RehearsedEngine {
  readonly stack: TrunkStack;
  close(): Promise<void>;
}

/** drachtio-server's own addresses are not in our configuration. */
const unknownListen = [{ transport: 'udp', address: '127.0.0.1', port: 5_060 } as const];

/** Starts the embedded engine of the configuration; `sent` hears of every message that would leave. */
export async function openRehearsedEngine(
  { sip, trunks }: Config,
  sent: (message: RehearsedMessage) => void,
  clock: Clock,
): Promise<RehearsedEngine> {
  const own = sip.engine === 'embedded' ? sip : undefined;
  const secret = randomBytes(32).toString('hex');
  const engine = await startEngine({
    listen: own?.listen ?? unknownListen,
    ...(own?.externalAddress === undefined ? {} : { externalAddress: own.externalAddress }),
    ...(own?.nameServers === undefined ? {} : { nameServers: own.nameServers }),
    ...(own?.tls === undefined ? {} : { tls: tlsSettingsOf(own.tls, trunks) }),
    rehearsal: sent,
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
      request: (request) => request.respond(405),
      isKnown: () => false,
      turnedAway: () => undefined,
      frameTooLarge: () => undefined,
      connected,
      disconnected: () => undefined,
    },
    silentLog,
    clock,
  );
  await ready;
  return {
    stack,
    async close() {
      await stack.close();
      await engine.close();
    },
  };
}
