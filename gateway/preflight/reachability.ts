import type { Clock } from '../../sip/clock.js';
import type { Log } from '../../sip/log.js';
import { parseUri, type SipUri } from '../../sip/message/index.js';
import { NextHops, type OwnTransports } from '../../sip/engine/resolve/next-hops.js';
import type { Config } from '../config/config.js';
import type { PreflightFinding } from './finding.js';
import { absentServers } from './servers.js';

/** Whether the hosts of trunks can be found, and other servers be reached. Never a problem: they may come later. */
export async function checkReachability(
  config: Config,
  clock: Clock,
  log: Log,
): Promise<readonly PreflightFinding[]> {
  const [hosts, servers] = await Promise.all([
    unresolvedHosts(config, clock, log),
    absentServers(config, clock, log),
  ]);
  return [...hosts, ...servers];
}

async function unresolvedHosts({ sip, trunks }: Config, clock: Clock, log: Log): Promise<PreflightFinding[]> {
  const nameServers = sip.engine === 'embedded' ? sip.nameServers : undefined;
  const hops = new NextHops(transportsOf(sip), { nameServers, clock, log });
  const found: PreflightFinding[] = [];
  for (const [index, { hosts }] of trunks.entries()) {
    for (const [at, { uri }] of hosts.entries()) {
      const parsed = parseUri(uri);
      if (parsed?.scheme !== 'sip' && parsed?.scheme !== 'sips') continue;
      if (await resolves(hops, parsed)) continue;
      found.push({
        level: 'warning',
        path: ['trunks', index, 'hosts', at, 'uri'],
        problem: `${parsed.host} has no address that can be reached`,
        fix: 'correct the name, or listen on its transport; webtrunk doctor says more',
      });
    }
  }
  hops.close();
  return found;
}

function resolves(hops: NextHops, uri: SipUri): Promise<boolean> {
  return new Promise((resolve) => hops.find(uri, undefined, (found) => resolve(found.length > 0)));
}

function transportsOf(sip: Config['sip']): OwnTransports {
  if (sip.engine === 'drachtio') return { names: ['udp', 'tcp', 'tls'], reaches: () => true };
  return {
    names: [...new Set(sip.listen.map(({ transport }) => transport))],
    reaches: (transport, family) =>
      sip.listen.some((at) => at.transport === transport && (at.address.includes(':') ? 6 : 4) === family),
  };
}
