import { createSocket } from 'node:dgram';
import { ChildProgram } from './child-program.js';
import { freePort, freePorts } from './free-port.js';

const readyWithinMs = 10_000;
const askEveryMs = 50;
const portsPerInstance = 100;

export interface RtpengineOptions {
  /** For NG; a free one when not given. */
  readonly port?: number;
  /** UDP ports for media; a few free ones when not given. */
  readonly mediaPorts?: { readonly min: number; readonly max: number };
}

/** An rtpengine in userspace on loopback. */
export class Rtpengine {
  private constructor(
    /** Where it takes NG commands over UDP. */
    readonly port: number,
    private readonly program: ChildProgram,
  ) {}

  /** Starts it and waits until it answers a ping. */
  static async start(program: string, { port, mediaPorts }: RtpengineOptions = {}): Promise<Rtpengine> {
    const ng = port ?? (await freePort());
    const { min, max } = mediaPorts ?? (await someFreePorts());
    const args = [
      '--config-file=none',
      '--table=-1',
      '--interface=127.0.0.1',
      '--interface=::1',
      `--listen-ng=127.0.0.1:${ng}`,
      `--port-min=${min}`,
      `--port-max=${max}`,
      '--foreground',
      '--log-stderr',
      '--log-level=6',
      '--num-threads=2',
      '--timeout=60',
      '--endpoint-learning=heuristic',
    ];
    const folder = ChildProgram.createFolder('rtpengine');
    const started = new Rtpengine(ng, ChildProgram.start(program, args, folder));
    try {
      await started.#ready();
    } catch (error) {
      await started.stop();
      throw error;
    }
    return started;
  }

  get address(): { host: string; port: number } {
    return { host: '127.0.0.1', port: this.port };
  }

  get pid(): number | undefined {
    return this.program.pid;
  }

  /** Its log. */
  get output(): string {
    return this.program.output;
  }

  /** One command from outside, in bencode; resolves with the answer as text. */
  async ask(command: string): Promise<string> {
    const socket = createSocket('udp4');
    try {
      return await new Promise<string>((resolve, reject) => {
        const late = setTimeout(() => reject(new Error('rtpengine is silent')), askEveryMs * 40);
        socket.on('message', (answer) => {
          clearTimeout(late);
          resolve(answer.toString());
        });
        socket.send(`test-${Math.random()} ${command}`, this.port, '127.0.0.1');
      });
    } finally {
      socket.close();
    }
  }

  /** How many calls it has. */
  async calls(): Promise<number> {
    const answer = await this.ask('d7:command4:list5:limiti1000ee');
    return answer.match(/\d+:wt-/g)?.length ?? 0;
  }

  stop(): Promise<void> {
    return this.program.stop();
  }

  /** Ends it as a crash would. */
  kill(): Promise<void> {
    return this.program.kill();
  }

  async #ready(): Promise<void> {
    const untilMs = Date.now() + readyWithinMs;
    while (this.program.running && Date.now() < untilMs) {
      const pong = await this.ask('d7:command4:pinge').catch(() => '');
      if (pong.includes('4:pong')) return;
      await new Promise((resolve) => setTimeout(resolve, askEveryMs));
    }
    throw new Error(`rtpengine is not ready:\n${this.output}`);
  }
}

async function someFreePorts(): Promise<{ min: number; max: number }> {
  const ports = await freePorts(portsPerInstance);
  return { min: ports[0] ?? 0, max: ports.at(-1) ?? 0 };
}
