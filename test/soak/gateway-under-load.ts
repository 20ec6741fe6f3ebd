import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MeasuredProcess } from '../bench/measured-process.js';
import { serverPort } from '../bench/ports.js';
import { domain, untilReady, type Workspace } from '../bench/target.js';
import { freePort } from '../support/free-port.js';
import { wideLimits } from '../support/wide-limits.js';

export interface GatewayChoice {
  readonly media: 'passthrough' | 'relay';
  /** Port of the PBX on loopback. */
  readonly pbxPort: number;
  /** How long an endpoint without a flow stays: what is left after the load goes in that time. */
  readonly graceSeconds: number;
}

/** A whole webtrunk in a process of its own, as operators run it. */
export interface GatewayUnderLoad {
  readonly process: MeasuredProcess;
  readonly wsUrl: string;
  /** Where it takes SIP over UDP. */
  readonly sipPort: number;
  /** The size of every table. */
  inspect(): Promise<Readonly<Record<string, number>>>;
  /** SIGTERM; resolves with the exit code. */
  drain(): Promise<number | null>;
}

const relayPorts = { from: 22_000, to: 23_999 };

/** Starts it with the users of the workspace, a trunk to the PBX and no limit that a load from one address meets. */
export async function startGatewayUnderLoad(
  workspace: Workspace,
  { media, pbxPort, graceSeconds }: GatewayChoice,
): Promise<GatewayUnderLoad> {
  const [port, adminPort, sipPort] = [await serverPort(), await serverPort(), await freePort()];
  const file = join(workspace.folder, `webtrunk-${port}.yaml`);
  const engine =
    media === 'passthrough'
      ? '{ engine: passthrough }'
      : `{ engine: relay, relay: { address: 127.0.0.1, ports: ${relayPorts.from}-${relayPorts.to}, processes: 1 } }`;
  writeFileSync(
    file,
    `listen:
  http: { address: 127.0.0.1, port: ${port} }
  admin: { address: 127.0.0.1, port: ${adminPort} }
websocket: { origins: ["*"], resume_grace: ${graceSeconds}s }
domains:
  - { name: ${domain}, users_file: ${workspace.users} }
sip: { embedded: { listen: ["udp:127.0.0.1:${sipPort}"] } }
media: ${engine}
trunks:
  - { name: pbx, type: ip, hosts: [{ uri: "sip:127.0.0.1:${pbxPort};transport=udp", priority: 10 }] }
routes:
  - { name: users, match: "^u[0-9]+$", to: users }
  - { name: pbx, match: "^9[0-9]+$", to: { trunks: [pbx] } }
limits: { ${wideLimits} }
log: { level: warn, format: json }
`,
  );
  const server = MeasuredProcess.start('../../gateway/main.js', ['start', '--config', file]);
  await untilReady(server, adminPort, '/readyz');
  return {
    process: server,
    wsUrl: `ws://127.0.0.1:${port}/ws`,
    sipPort,
    async inspect() {
      const answer = await fetch(`http://127.0.0.1:${adminPort}/api/v1/inspect`);
      return (await answer.json()) as Record<string, number>;
    },
    async drain() {
      await server.stop();
      return server.exitCode;
    },
  };
}
