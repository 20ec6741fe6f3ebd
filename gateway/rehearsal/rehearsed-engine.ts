import type { Clock } from '../../sip/clock.js';
import type { RehearsedMessage } from '../../sip/engine/transport/rehearsed-channel.js';
import type { Config } from '../config/config.js';
import { openEngineBeside, type EngineBeside } from '../trunk/engine-beside.js';

/** drachtio-server's own addresses are not in our configuration. */
const unknownListen = [{ transport: 'udp', address: '127.0.0.1', port: 5_060 } as const];

/**
 * The SIP engine and its stack as they run in the gateway, but that nothing is bound and nothing leaves; `sent` hears of every
 * message that would.
 */
export function openRehearsedEngine(
  config: Config,
  sent: (message: RehearsedMessage) => void,
  clock: Clock,
): Promise<EngineBeside> {
  return openEngineBeside(config, { listen: (own = unknownListen) => own, rehearsal: sent }, clock);
}
