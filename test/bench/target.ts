import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ha1 } from '../../sip/message/index.js';
import { freePort } from '../support/free-port.js';
import { makeTestCertificate } from '../support/test-certificate.js';
import { MeasuredProcess } from './measured-process.js';
import { serverPort } from './ports.js';
import { wideLimits } from '../support/wide-limits.js';

export const domain = 'bench.example';
export const userCount = 12_000;
export const userName = (index: number): string => `u${index}`;
export const passwordOf = (user: string): string => `${user}-secret`;

/** A server under measurement, with where to reach it. */
export interface Target {
  readonly kind: 'floor' | 'gateway';
  readonly process: MeasuredProcess;
  readonly wsUrl: string;
  readonly wssUrl: string | undefined;
  stop(): Promise<void>;
}

/** Files that all servers of one run share, in a folder of their own. */
export class Workspace {
  readonly folder = mkdtempSync(join(tmpdir(), 'webtrunk-bench-'));
  readonly users = join(this.folder, 'users.htdigest');
  /** Undefined when this machine cannot make a certificate. */
  readonly certificate: { readonly cert: string; readonly key: string } | undefined;

  constructor() {
    const lines = Array.from({ length: userCount }, (_, i) => {
      const user = userName(i);
      return `${user}:${domain}:${ha1(user, domain, passwordOf(user))}\n`;
    });
    writeFileSync(this.users, lines.join(''), { mode: 0o600 });
    const pems = makeTestCertificate();
    if (pems === undefined) return;
    this.certificate = { cert: join(this.folder, 'cert.pem'), key: join(this.folder, 'key.pem') };
    writeFileSync(this.certificate.cert, pems.cert);
    writeFileSync(this.certificate.key, pems.key, { mode: 0o600 });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function answers(port: number, path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = request({ host: '127.0.0.1', port, path, timeout: 1_000 }, (response) => {
      response.resume();
      resolve((response.statusCode ?? 500) < 400);
    });
    probe.on('error', () => resolve(false));
    probe.end();
  });
}

const readyWithinMs = 20_000;

/** Resolves once that path of the server answers; stops it and throws when it does not. */
export async function untilReady(server: MeasuredProcess, port: number, path: string): Promise<void> {
  for (const deadline = Date.now() + readyWithinMs; Date.now() < deadline; await delay(50)) {
    if (server.hasEnded) break;
    if (await answers(port, path)) return;
  }
  const { errors } = server;
  await server.stop();
  throw new Error(`the server did not become ready:\n${errors}`);
}

/** Starts the raw relay. */
export async function startFloor(workspace: Workspace): Promise<Target> {
  const [port, tlsPort] = [await serverPort(), await serverPort()];
  const { certificate } = workspace;
  const tls = certificate === undefined ? [] : [String(tlsPort), certificate.cert, certificate.key];
  const server = MeasuredProcess.start('./floor.js', [String(port), ...tls]);
  await untilReady(server, port, '/');
  return {
    kind: 'floor',
    process: server,
    wsUrl: `ws://127.0.0.1:${port}/ws`,
    wssUrl: certificate === undefined ? undefined : `wss://127.0.0.1:${tlsPort}/ws`,
    stop: () => server.stop(),
  };
}

export interface GatewayOptions {
  /** Port of the scripted PBX on 127.0.0.1. */
  readonly phonePort: number;
  /** URL of Redis; memory when not given. */
  readonly store?: string | undefined;
}

/** Starts webtrunk as an operator would, with a configuration file. */
export async function startGateway(workspace: Workspace, options: GatewayOptions): Promise<Target> {
  const [port, tlsPort, adminPort, sipPort] = [
    await serverPort(),
    await serverPort(),
    await serverPort(),
    await freePort(),
  ];
  const { certificate } = workspace;
  const file = join(workspace.folder, `webtrunk-${port}.yaml`);
  const https =
    certificate === undefined
      ? ''
      : `  https: { address: 127.0.0.1, port: ${tlsPort}, cert: ${certificate.cert}, key: ${certificate.key} }\n`;
  writeFileSync(
    file,
    `listen:
  http: { address: 127.0.0.1, port: ${port} }
${https}  admin: { address: 127.0.0.1, port: ${adminPort} }
websocket: { origins: ["*"] }
domains:
  - { name: ${domain}, users_file: ${workspace.users} }
sip: { embedded: { listen: ["udp:127.0.0.1:${sipPort}"] } }
media: { engine: passthrough }
trunks:
  - { name: pbx, type: ip, hosts: [{ uri: "sip:127.0.0.1:${options.phonePort};transport=udp", priority: 10 }] }
routes:
  - { name: users, match: "^u[0-9]+$", to: users }
  - { name: pbx, match: "^9[0-9]+$", to: { trunks: [pbx] } }
limits: { ${wideLimits} }
store: ${options.store ?? 'memory'}
log: { level: info, format: json }
`,
  );
  const server = MeasuredProcess.start('../../gateway/main.js', ['start', '--config', file]);
  await untilReady(server, adminPort, '/readyz');
  return {
    kind: 'gateway',
    process: server,
    wsUrl: `ws://127.0.0.1:${port}/ws`,
    wssUrl: certificate === undefined ? undefined : `wss://127.0.0.1:${tlsPort}/ws`,
    stop: () => server.stop(),
  };
}
