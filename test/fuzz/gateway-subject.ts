import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { MeasuredProcess } from '../bench/measured-process.js';
import { serverPort } from '../bench/ports.js';
import { domain, passwordOf, untilReady, userName } from '../bench/target.js';
import { freePort } from '../support/free-port.js';
import { wideLimits } from '../support/wide-limits.js';

export interface SubjectOptions {
  /** The value of `sip:`; the embedded engine by default. */
  readonly sip?: string;
  /** The value of `media:`; passthrough by default. */
  readonly media?: string;
  /** The value of `store:`; memory by default. */
  readonly store?: string;
  /** Where the trunk that takes 9… has its PBX. */
  readonly pbxPort?: number;
}

const users = 10;
const emptyWithinMs = 40_000;
const graceSeconds = 1;
const answerWithinMs = 10_000;
/** What webtrunk logs of its own mistakes, whoever brought them about. */
const defect =
  /"event":"defect"|gateway\.internal|defect|was not handled|leg threw|could not be disposed|could not be served/;
/** The OPTIONS that the trunk is watched with: nobody answers them. */
const ofPings = { names: /^trunk_(requests|transactions)$/, most: 8 };
/** Never empty while it runs, and those of transactions (RFC 3261 §17), rates and strangers, which have their own time. */
const standing =
  /^(strangers|engine_(clients|clientTransactions|serverTransactions))$|[rR]ates?$|[fF]ailures|[wW]indows/;

/** A whole webtrunk in a process of its own that logs nothing but errors. */
export class GatewaySubject {
  private constructor(
    private readonly folder: string,
    private readonly process: MeasuredProcess,
    readonly port: number,
    readonly adminPort: number,
  ) {}

  static async start({
    sip,
    media = '{ engine: passthrough }',
    store = 'memory',
    pbxPort = 9,
  }: SubjectOptions = {}) {
    const folder = mkdtempSync(join(tmpdir(), 'webtrunk-fuzz-'));
    const [port, adminPort, sipPort] = [await serverPort(), await serverPort(), await freePort()];
    const names = Array.from({ length: users }, (_, index) => userName(index));
    const own = names.map((name) => `{ name: ${name}, password: ${passwordOf(name)} }`).join(', ');
    const file = join(folder, 'webtrunk.yaml');
    writeFileSync(
      file,
      `listen:
  http: { address: 127.0.0.1, port: ${port} }
  admin: { address: 127.0.0.1, port: ${adminPort} }
websocket: { origins: ["*"], resume_grace: ${graceSeconds}s }
domains: [{ name: ${domain}, users: [${own}] }]
sip: ${sip ?? `{ embedded: { listen: ["udp:127.0.0.1:${sipPort}"] } }`}
media: ${media}
store: ${store}
trunks:
  - { name: pbx, type: ip, hosts: [{ uri: "sip:127.0.0.1:${pbxPort};transport=udp", priority: 10 }], options: { every: 5s } }
routes:
  - { name: users, match: "^u[0-9]+$", to: users }
  - { name: pbx, match: "^9[0-9]+$", to: { trunks: [pbx] } }
limits: { ${wideLimits} }
log: { level: error, format: json }
`,
    );
    const server = MeasuredProcess.start('../../gateway/main.js', ['start', '--config', file], true);
    const subject = new GatewaySubject(folder, server, port, adminPort);
    try {
      await untilReady(server, adminPort, '/healthz');
      return subject;
    } catch (cause) {
      rmSync(folder, { recursive: true, force: true });
      throw cause;
    }
  }

  get wsUrl(): string {
    return `ws://127.0.0.1:${this.port}/ws`;
  }

  /** Milliseconds until it answers; throws when it does not, or when something has gone wrong in it. */
  async check(): Promise<number> {
    if (this.process.hasEnded) throw new Error(`it has ended:\n${this.process.errors}\n${this.process.log}`);
    const beganMs = performance.now();
    await this.get('/healthz');
    const ms = performance.now() - beganMs;
    const wrong = this.process.log.split('\n').filter((line) => defect.test(line));
    if (wrong.length > 0) throw new Error(`it logged:\n${wrong.slice(0, 5).join('\n')}`);
    return ms;
  }

  /** Live memory once every table is empty; throws when one is not. */
  async rest(): Promise<number> {
    const until = performance.now() + emptyWithinMs;
    for (;;) {
      const sizes = (await (await this.get('/api/v1/inspect')).json()) as Record<string, number>;
      const left = Object.entries(sizes).filter(
        ([name, size]) => size > (ofPings.names.test(name) ? ofPings.most : 0) && !standing.test(name),
      );
      if (left.length === 0) break;
      if (performance.now() > until) throw new Error(`tables are not empty: ${JSON.stringify(left)}`);
      await delay(100);
    }
    return (await this.process.ask({ collectGarbage: true })).heapBytes;
  }

  /** Ends it at once, whatever goes on in it. Idempotent. */
  async stop(): Promise<void> {
    await this.process.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private get(path: string): Promise<Response> {
    const signal = AbortSignal.timeout(answerWithinMs);
    return fetch(`http://127.0.0.1:${this.adminPort}${path}`, { signal });
  }
}
