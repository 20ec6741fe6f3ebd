import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { domain, type Workspace } from '../bench/target.js';
import { openEmbeddedEngine, type EngineUnderTest } from '../support/engine-under-test.js';
import { freePort } from '../support/free-port.js';
import { GatewayProcess } from '../support/gateway-process.js';
import { Redis } from '../support/redis.js';
import { wideLimits } from '../support/wide-limits.js';

/** What is killed: a webtrunk with this SIP engine, store and media. */
export interface KillCase {
  readonly engine: 'embedded' | 'drachtio';
  readonly store: 'memory' | 'redis';
  readonly media: 'rtpengine' | 'relay';
}

/** What all cases of a run use. */
export interface KillPrograms {
  readonly redis: string;
  /** NG port of an rtpengine that runs. */
  readonly ng: number;
  /** A drachtio-server that runs; undefined: an embedded engine in another process than webtrunk stands in for it. */
  readonly drachtio?:
    { readonly port: number; readonly secret: string; readonly sipPort: number } | undefined;
}

/** How long a call to 8… may last. */
export const maxDurationSeconds = 7;

const askEveryMs = 50;
/** A signal that comes sooner is taken for the same one: npm passes Ctrl-C on. */
const betweenSignalsMs = 600;
/** Less than {@link maxDurationSeconds}. */
const settledWithinMs = 5_000;

/** A webtrunk that can be killed and started again. */
export class KilledGateway {
  private constructor(
    private readonly file: string,
    /** Where PBXs reach it, over UDP. */
    readonly sipPort: number,
    private readonly beside: {
      readonly redis?: Redis | undefined;
      readonly engine?: EngineUnderTest | undefined;
    },
    private process: GatewayProcess,
  ) {}

  static async start(
    workspace: Workspace,
    { engine, store, media }: KillCase,
    programs: KillPrograms,
    { pbxPort, graceSeconds }: { readonly pbxPort: number; readonly graceSeconds: number },
  ): Promise<KilledGateway> {
    const redis = store === 'redis' ? await Redis.start(programs.redis) : undefined;
    const isStandIn = engine === 'drachtio' && programs.drachtio === undefined;
    const standIn = isStandIn ? await openEmbeddedEngine() : undefined;
    const [port, sipPort] = [await freePort(), await freePort()];
    const control = programs.drachtio ?? {
      port: standIn?.controlPort ?? 0,
      secret: standIn?.secret ?? '',
      sipPort: standIn?.ports.udp ?? 0,
    };
    const sip =
      engine === 'embedded'
        ? `{ embedded: { listen: ["udp:127.0.0.1:${sipPort}"] } }`
        : `{ engine: drachtio, drachtio: { host: 127.0.0.1, port: ${control.port}, secret: "${control.secret}" } }`;
    const mediaText =
      media === 'rtpengine'
        ? `{ engine: rtpengine, rtpengine: [{ ng: "udp:127.0.0.1:${programs.ng}" }] }`
        : '{ engine: relay, relay: { address: 127.0.0.1, ports: 20000-21999, processes: 1 } }';
    const hosts = `hosts: [{ uri: "sip:127.0.0.1:${pbxPort};transport=udp" }]`;
    const name = `${engine}-${store}-${media}`;
    const file = join(workspace.folder, `${name}.yaml`);
    writeFileSync(
      file,
      `listen:
  http: { address: 127.0.0.1, port: ${port} }
  admin: { address: 127.0.0.1, port: 0 }
websocket: { resume_grace: ${graceSeconds}s }
domains: [{ name: ${domain}, users_file: ${workspace.users} }]
sip: ${sip}
media: ${mediaText}
trunks:
  - { name: pbx, type: ip, ${hosts} }
  - { name: brief, type: ip, ${hosts}, limits: { max_duration: ${maxDurationSeconds}s } }
routes:
  - { name: users, match: "^u[0-9]+$", to: users }
  - { name: pbx, match: "^9[0-9]+$", to: { trunks: [pbx] } }
  - { name: brief, match: "^8[0-9]+$", to: { trunks: [brief] } }
limits: { ${wideLimits} }
cdr: { file: ${name}.cdr.ndjson }
store: ${redis?.url ?? 'memory'}
`,
    );
    const reachedAt = engine === 'embedded' ? sipPort : control.sipPort;
    const process = await GatewayProcess.start(file);
    return new KilledGateway(file, reachedAt, { redis, engine: standIn }, process);
  }

  get wsUrl(): string {
    return `${this.process.url('pages').replace('http:', 'ws:')}/ws`;
  }

  /** Resolves when it is up again; gives how long it was away, in ms. */
  async killAndStart(): Promise<number> {
    const began = performance.now();
    await this.process.kill();
    this.process = await GatewayProcess.start(this.file);
    return performance.now() - began;
  }

  /** SIGTERM, and again; gives the exit code. */
  async cut(): Promise<number | null> {
    const drained = this.process.stop();
    await this.process.logged('draining');
    await delay(betweenSignalsMs);
    await Promise.all([drained, this.process.stop()]);
    return this.process.exitCode;
  }

  /** Resolves when so many calls are up and the store has all of them; rejects when that is not so for too long. */
  async settled(calls: number): Promise<void> {
    for (const lateMs = performance.now() + settledWithinMs; ; await delay(askEveryMs)) {
      const sizes = await this.sizes();
      if (sizes['calls'] === calls && sizes['store_waiting'] === undefined) return;
      if (performance.now() > lateMs)
        throw new Error(`not ${calls} calls in store: ${JSON.stringify(sizes)}`);
    }
  }

  /** The size of every table that is not empty. */
  async sizes(): Promise<Readonly<Record<string, number>>> {
    const answer = await fetch(`${this.process.url('admin')}/api/v1/inspect`);
    const sizes = (await answer.json()) as Record<string, number>;
    return Object.fromEntries(Object.entries(sizes).filter(([, size]) => size > 0));
  }

  /** Every CDR that was written, but those of calls to that user, by the code of its termination. */
  cdrs(except?: string): {
    readonly calls: number;
    readonly distinct: number;
    readonly codes: ReadonlyMap<string, number>;
  } {
    const codes = new Map<string, number>();
    const ids: string[] = [];
    for (const line of readLines(this.file.replace(/yaml$/, 'cdr.ndjson'))) {
      const { callId, dialled, termination } = JSON.parse(line) as {
        callId: string;
        dialled: string;
        termination: { code: string };
      };
      if (dialled.startsWith(`sip:${except}@`)) continue;
      ids.push(callId);
      codes.set(termination.code, (codes.get(termination.code) ?? 0) + 1);
    }
    return { calls: ids.length, distinct: new Set(ids).size, codes };
  }

  async stop(): Promise<void> {
    await this.process.stop();
    await this.beside.engine?.close();
    await this.beside.redis?.stop();
  }
}

function readLines(file: string): readonly string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').slice(0, -1);
  } catch {
    return [];
  }
}
