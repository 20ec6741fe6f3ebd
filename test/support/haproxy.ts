import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ChildProgram } from './child-program.js';
import { freePort } from './free-port.js';
import { untilListening } from './listening.js';

/** A webtrunk behind it: where its pages are, and where it says whether it is ready. */
export interface HaproxyServer {
  readonly name: string;
  readonly port: number;
  readonly adminPort: number;
}

/** HAProxy in front of several webtrunks: a browser stays with one of them while that is ready. */
export class Haproxy {
  private constructor(
    readonly port: number,
    private readonly program: ChildProgram,
  ) {}

  static async start(program: string, servers: readonly HaproxyServer[]): Promise<Haproxy> {
    const port = await freePort();
    const folder = ChildProgram.createFolder('haproxy');
    writeFileSync(join(folder, 'haproxy.cfg'), configText(port, servers));
    const started = new Haproxy(port, ChildProgram.start(program, ['-db', '-f', 'haproxy.cfg'], folder));
    try {
      await untilListening('tcp', port);
    } catch (cause) {
      await started.stop();
      throw new Error(`haproxy did not start:\n${started.program.output}`, { cause });
    }
    return started;
  }

  /** `http://127.0.0.1:port` */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  stop(): Promise<void> {
    return this.program.stop();
  }
}

function configText(port: number, servers: readonly HaproxyServer[]): string {
  const lines = servers.map(
    ({ name, port: at, adminPort }) =>
      `  server ${name} 127.0.0.1:${at} check port ${adminPort} inter 200ms fall 1 rise 1 cookie ${name}\n`,
  );
  return `defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  timeout tunnel 1h
  option redispatch
  retries 3
frontend browsers
  bind 127.0.0.1:${port}
  default_backend webtrunk
backend webtrunk
  balance roundrobin
  cookie node insert indirect nocache
  option httpchk GET /readyz
  http-check expect status 200
${lines.join('')}`;
}
