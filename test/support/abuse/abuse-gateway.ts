import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { domain, type Workspace } from '../../bench/target.js';
import { serverPort } from '../../bench/ports.js';
import { freePort } from '../free-port.js';
import { GatewayProcess, type LogLine } from '../gateway-process.js';

export interface AbuseGatewayChoice {
  /** Port of the PBX on loopback. */
  readonly pbxPort: number;
  /** `limits.request_within` and `limits.authenticate_within`. */
  readonly patienceSeconds: number;
}

/** Where an attacker knocks. */
export interface Doors {
  readonly wsUrl: string;
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly adminPort: number;
  readonly sipPort: number;
  /** Media of the relay. */
  readonly mediaPorts: { readonly from: number; readonly to: number };
}

/** Samples of /metrics: `name{labels}` without `webtrunk_`, and the value. */
export type Counters = ReadonlyMap<string, number>;

export const adminToken = 'a-token-that-nobody-guesses-0123456789';
/** Apart from those of the other soaks and of `freePort`. */
const relayPorts = { from: 17_000, to: 18_999 };

/**
 * A webtrunk in a process of its own with its default limits, but for two waits and what the guard against fraud needs,
 * for which there is no default.
 */
export class AbuseGateway {
  private constructor(
    readonly doors: Doors,
    private readonly process: GatewayProcess,
  ) {}

  static async start(workspace: Workspace, choice: AbuseGatewayChoice): Promise<AbuseGateway> {
    const doors: Omit<Doors, 'wsUrl'> = {
      httpPort: await serverPort(),
      httpsPort: await serverPort(),
      adminPort: await serverPort(),
      sipPort: await freePort(),
      mediaPorts: relayPorts,
    };
    const file = join(workspace.folder, 'abuse.yaml');
    writeFileSync(file, configuration(workspace, doors, choice));
    const started = await GatewayProcess.start(file);
    return new AbuseGateway({ ...doors, wsUrl: `ws://127.0.0.1:${doors.httpPort}/ws` }, started);
  }

  /** What the log has, in all. */
  get lines(): readonly LogLine[] {
    return this.process.lines;
  }

  async counters(): Promise<Counters> {
    const text = await (await this.admin('/metrics')).text();
    const samples = [...text.matchAll(/^webtrunk_(\S+) (\S+)$/gm)];
    return new Map(samples.map(([, name = '', value = '']) => [name, Number(value)]));
  }

  /** The size of every table. */
  async inspect(): Promise<Readonly<Record<string, number>>> {
    return (await (await this.admin('/api/v1/inspect')).json()) as Record<string, number>;
  }

  /** SIGTERM; resolves with the exit code. */
  async stop(): Promise<number | null> {
    await this.process.stop();
    return this.process.exitCode;
  }

  private admin(path: string): Promise<Response> {
    const headers = { Authorization: `Bearer ${adminToken}` };
    return fetch(`http://127.0.0.1:${this.doors.adminPort}${path}`, { headers });
  }
}

function configuration(
  { users, certificate }: Workspace,
  { httpPort, httpsPort, adminPort, sipPort, mediaPorts }: Omit<Doors, 'wsUrl'>,
  { pbxPort, patienceSeconds }: AbuseGatewayChoice,
): string {
  if (certificate === undefined) throw new Error('this machine makes no certificate');
  const patience = `request_within: ${patienceSeconds}s, authenticate_within: ${patienceSeconds}s`;
  return `listen:
  http: { address: 127.0.0.1, port: ${httpPort} }
  https: { address: 127.0.0.1, port: ${httpsPort}, cert: ${certificate.cert}, key: ${certificate.key} }
  admin: { address: 127.0.0.1, port: ${adminPort}, token: ${adminToken} }
websocket: { resume_grace: 2s, per_message_deflate: true }
domains:
  - { name: ${domain}, users_file: ${users} }
sip: { embedded: { listen: ["udp:127.0.0.1:${sipPort}"] } }
media: { engine: relay, relay: { address: 127.0.0.1, ports: ${mediaPorts.from}-${mediaPorts.to}, processes: 1 } }
ice: { servers: [{ urls: ["turn:127.0.0.1:3478"], secret: a-secret-of-turn }] }
trunks:
  - { name: pbx, type: ip, hosts: [{ uri: "sip:127.0.0.1:${pbxPort};transport=udp" }] }
routes:
  - { name: users, match: "^u[0-9]+$", to: users }
  - { name: pbx, match: "^\\\\+?[0-9]+$", to: { trunks: [pbx] } }
limits:
  ${patience.replace(', ', '\n  ')}
  fraud: { country: US, international: true, deny: ["+1900"], new_destinations_per_hour: 25 }
log: { level: info, format: json }
`;
}
