import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import type { Config } from '../config/config.js';
import type { PreflightFinding } from './finding.js';
import { tryUdp } from './ports.js';

type Relay = Extract<Config['media'], { engine: 'relay' }>;

const wantedCalls = 25;
const sampledPorts = 16;
/** The socket of all browsers asks for so much, and gets no more than the system allows. */
const wantedBufferBytes = 1024 * 1024;
const bufferLimitFile = '/proc/sys/net/core/rmem_max';

/** Whether the relay's address and ports can be what they are said to be. */
export async function checkMedia({ media, sip }: Config): Promise<readonly PreflightFinding[]> {
  if (media.engine !== 'relay') return [];
  const found: PreflightFinding[] = [];
  const isOurs = ownAddresses().has(media.address);
  if (!isOurs) {
    found.push({
      level: 'warning',
      path: ['media', 'relay', 'address'],
      problem: `${media.address} is no address of this machine`,
      fix: 'right behind NAT, when its UDP ports are forwarded here; else write an address of this machine',
    });
  }
  const everywhere = media.address.includes(':') ? '::' : '0.0.0.0';
  const bindAddress = isOurs ? media.address : everywhere;
  const listen = sip.engine === 'embedded' ? sip.listen : [];
  const sipPorts = listen.filter(({ transport }) => transport === 'udp').map(({ port }) => port);
  found.push(...(await checkRange(media, bindAddress, sipPorts)));
  found.push(...(await checkBrowserPorts(media, bindAddress, sipPorts)));
  return found;
}

async function checkRange(
  { ports, browserPort }: Relay,
  bindAddress: string,
  sipPorts: readonly number[],
): Promise<readonly PreflightFinding[]> {
  const found: PreflightFinding[] = [];
  const path = ['media', 'relay', 'ports'];
  const count = ports.max - ports.min + 1;
  // Two for the PBX's end, two for the browser's.
  const portsPerCall = browserPort === undefined ? 4 : 2;
  if (count < portsPerCall * wantedCalls) {
    const problem = `${count} ports are enough for ${Math.floor(count / portsPerCall)} calls`;
    found.push({ level: 'warning', path, problem, fix: 'give more ports when more calls are wanted' });
  }
  const inside = sipPorts.find((port) => port >= ports.min && port <= ports.max);
  if (inside !== undefined) {
    const problem = `port ${inside} is one of sip.embedded.listen`;
    found.push({ level: 'problem', path, problem, fix: 'take another range' });
  }
  const taken = await takenPorts(bindAddress, ports);
  if (taken.length > 0) {
    const problem = `other programs hold some of them (${taken.slice(0, 3).join(', ')})`;
    found.push({ level: 'warning', path, problem, fix: 'take another range, or stop the gateway that runs' });
  }
  return found;
}

async function checkBrowserPorts(
  { browserPort: first, processes }: Relay,
  bindAddress: string,
  sipPorts: readonly number[],
): Promise<readonly PreflightFinding[]> {
  if (first === undefined) return [];
  const found: PreflightFinding[] = [];
  const path = ['media', 'relay', 'browser_port'];
  for (let port = first; port < first + Math.max(processes, 1); port++) {
    if (sipPorts.includes(port)) {
      const problem = `port ${port} is one of sip.embedded.listen`;
      found.push({ level: 'problem', path, problem, fix: 'take another port' });
      continue;
    }
    const error = await tryUdp(bindAddress, port);
    if (error === undefined) continue;
    const why = error === 'EADDRINUSE' ? 'is in use' : `cannot be listened on: ${error}`;
    const fix = 'write another port, or stop the other program';
    found.push({ level: 'problem', path, problem: `udp ${bindAddress}:${port} ${why}`, fix });
  }
  const limit = await readFile(bufferLimitFile, 'utf8').catch(() => undefined);
  return [...found, ...checkReceiveBuffer(limit === undefined ? undefined : Number(limit))];
}

/** One socket takes the packets of all browsers: what comes while the processor is busy elsewhere waits there, or is lost. */
export function checkReceiveBuffer(limitBytes: number | undefined): readonly PreflightFinding[] {
  if (limitBytes === undefined || limitBytes >= wantedBufferBytes) return [];
  return [
    {
      level: 'warning',
      path: ['media', 'relay', 'browser_port'],
      problem: `the system allows a receive buffer of ${limitBytes} bytes, too few for hundreds of browsers at one port`,
      fix: `sysctl -w net.core.rmem_max=${wantedBufferBytes}`,
    },
  ];
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
