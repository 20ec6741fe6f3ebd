import { networkInterfaces } from 'node:os';
import type { Config } from '../config/config.js';
import type { PreflightFinding } from './finding.js';
import { tryUdp } from './ports.js';

/** Ports of a call: two for the browser's end, two for the PBX's. */
const portsPerCall = 4;
const wantedCalls = 25;
const sampledPorts = 16;

/** Whether the relay's address and ports can be what they are said to be. */
export async function checkMedia({ media, sip }: Config): Promise<readonly PreflightFinding[]> {
  if (media.engine !== 'relay') return [];
  const { address, ports } = media;
  const found: PreflightFinding[] = [];
  const path = ['media', 'relay', 'ports'];
  const own = ownAddresses();
  if (!own.has(address)) {
    found.push({
      level: 'warning',
      path: ['media', 'relay', 'address'],
      problem: `${address} is no address of this machine`,
      fix: 'right behind NAT, when its UDP ports are forwarded here; else write an address of this machine',
    });
  }
  const count = ports.max - ports.min + 1;
  if (count < portsPerCall * wantedCalls) {
    const problem = `${count} ports are enough for ${Math.floor(count / portsPerCall)} calls`;
    found.push({ level: 'warning', path, problem, fix: 'give more ports when more calls are wanted' });
  }
  if (sip.engine === 'embedded') {
    const inside = sip.listen.find(({ port }) => port >= ports.min && port <= ports.max);
    if (inside !== undefined) {
      const problem = `port ${inside.port} is one of sip.embedded.listen`;
      found.push({ level: 'problem', path, problem, fix: 'take another range' });
    }
  }
  const taken = await takenPorts(own.has(address) ? address : '0.0.0.0', ports);
  if (taken.length > 0) {
    const problem = `other programs hold some of them (${taken.slice(0, 3).join(', ')})`;
    found.push({ level: 'warning', path, problem, fix: 'take another range, or stop the gateway that runs' });
  }
  return found;
}

function ownAddresses(): ReadonlySet<string> {
  return new Set(
    Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address)),
  );
}

/** A sample, evenly spread. */
async function takenPorts(
  address: string,
  { min, max }: { readonly min: number; readonly max: number },
): Promise<number[]> {
  const step = Math.max(Math.floor((max - min + 1) / sampledPorts), 1);
  const taken: number[] = [];
  for (let port = min; port <= max; port += step) {
    if ((await tryUdp(address, port)) !== undefined) taken.push(port);
  }
  return taken;
}
