import type { Clock } from '../../sip/clock.js';
import type { Log } from '../../sip/log.js';
import type { Config } from '../config/config.js';
import { checkCertificates } from './certificates.js';
import type { PreflightFinding } from './finding.js';
import { checkMedia } from './media.js';
import { checkPorts } from './ports.js';
import { checkReachability } from './reachability.js';
import { checkSrtpKeys } from './srtp-keys.js';

/** Looks at what a configuration needs from this machine and its network. Leaves nothing open. */
export async function preflight(
  config: Config,
  clock: Clock,
  log: Log,
): Promise<readonly PreflightFinding[]> {
  const [ports, media, reachability] = await Promise.all([
    checkPorts(config),
    checkMedia(config),
    checkReachability(config, clock, log),
  ]);
  return [...ports, ...checkCertificates(config, clock), ...checkSrtpKeys(config), ...media, ...reachability];
}
