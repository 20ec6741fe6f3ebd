import { connect } from 'node:net';
import type { Clock } from '../../sip/clock.js';
import { toFailure } from '../../sip/failure.js';
import type { Log } from '../../sip/log.js';
import { NgClient, type NgAddress } from '../../sip/media/rtpengine/ng-client.js';
import type { Config } from '../config/config.js';
import type { Path } from '../config/problem.js';
import type { PreflightFinding } from './finding.js';

const withinMs = 3_000;
const redisPort = 6_379;

/** A server that webtrunk needs beside trunks. */
interface NeededServer {
  readonly path: Path;
  readonly name: string;
  readonly fix: string;
  /** Says why it is not there; undefined: it is. */
  readonly probe: () => Promise<string | undefined>;
}

/** Asks each server of the configuration whether it is there. */
export async function absentServers(
  config: Config,
  clock: Clock,
  log: Log,
): Promise<readonly PreflightFinding[]> {
  const found = await Promise.all(
    neededServers(config, clock, log).map(async ({ path, name, fix, probe }) => {
      const why = await probe();
      return why === undefined ? [] : [{ level: 'warning' as const, path, problem: `${name}: ${why}`, fix }];
    }),
  );
  return found.flat();
}

function neededServers({ sip, media, store }: Config, clock: Clock, log: Log): readonly NeededServer[] {
  const servers: NeededServer[] = [];
  const fix = 'start it, or correct host and port';
  if (sip.engine === 'drachtio') {
    const probe = () => connectionProblem(sip.host, sip.port);
    servers.push({ path: ['sip', 'drachtio'], name: 'drachtio-server', fix, probe });
  }
  if (media.engine === 'rtpengine') {
    for (const [index, { address }] of media.instances.entries()) {
      const path = ['media', 'rtpengine', index, 'ng'];
      const probe = () => pingProblem(address, clock, log);
      servers.push({ path, name: 'rtpengine', fix: 'start it with that --listen-ng, or correct it', probe });
    }
  }
  if (store !== undefined) {
    const { hostname, port } = new URL(store.reveal());
    const probe = () => connectionProblem(hostname.replace(/^\[|\]$/g, ''), Number(port || redisPort));
    servers.push({ path: ['store'], name: 'Redis', fix, probe });
  }
  return servers;
}

function connectionProblem(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: withinMs });
    const end = (why: string | undefined): void => {
      socket.destroy();
      resolve(why);
    };
    socket.once('connect', () => end(undefined));
    socket.once('error', ({ message }) => end(message));
    socket.once('timeout', () => end(`no answer within ${withinMs / 1_000} s`));
  });
}

/** Asks it as calls do, by the NG command `ping`. */
async function pingProblem(address: NgAddress, clock: Clock, log: Log): Promise<string | undefined> {
  const client = new NgClient({ address, clock, log });
  try {
    await client.send({ command: 'ping' }, withinMs);
    return undefined;
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : toFailure(thrown).reason;
  } finally {
    client.close();
  }
}
