import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { untilListening } from './listening.js';
import type { Script } from './sipp/script.js';

/** Our scenarios; the compiled tests run from dist/. */
const scenarios = fileURLToPath(new URL('../../../test/support/sipp/', import.meta.url));

export interface SippRun {
  readonly program: string;
  /**
   * File name in test/support/sipp, or the scenario itself. `[via]` in it is the transport and address for Via,
   * `[reachable]` what follows the user in Contact.
   */
  readonly scenario: string | Script;
  readonly transport: 'udp' | 'tcp';
  /** Port of SIPp itself on 127.0.0.1. */
  readonly port: number;
  /** What it says in Via and Contact when something stands in front of it; itself when not given. */
  readonly front?: { readonly transport: 'udp' | 'tcp' | 'tls'; readonly port: number };
  /** Where a caller sends to. */
  readonly target?: number;
  readonly calls: number;
  readonly callsPerSecond?: number;
  readonly timeoutSeconds: number;
  /** RTP that comes to this port is sent back. */
  readonly echoPort?: number;
  /** What comes while the scenario pauses is dropped instead of being unexpected. */
  readonly isDeafInPauses?: boolean;
  /** Retransmissions are messages like all others: unexpected unless the scenario names them. */
  readonly seesRetransmissions?: boolean;
  /** A call fails that waits longer for a message. */
  readonly receiveWithinMs?: number;
  /** As often a request is sent again over UDP before the call fails. */
  readonly maxRetransmissions?: number;
}

export interface SippResult {
  readonly successful: number;
  readonly failed: number;
  /** The most calls that were open in one moment. */
  readonly mostAtATime: number;
  /** What SIPp found unexpected, for the message of a failing test. */
  readonly errors: string;
}

const lastNumber = (screen: string, label: string): number => {
  const line = screen
    .split('\n')
    .filter((text) => text.includes(label))
    .at(-1);
  return Number(line?.split('|').at(-1)?.trim() ?? Number.NaN);
};

export interface RunningSipp {
  /** Its sockets are open. */
  readonly listening: Promise<void>;
  readonly result: Promise<SippResult>;
  /** It takes or makes no more calls, and ends with those that it has. */
  finish(): void;
  /** Ends it early. Idempotent. */
  stop(): void;
}

/** Runs SIPp until it has made or taken its calls. */
export function startSipp(run: SippRun): RunningSipp {
  const aborter = new AbortController();
  const finisher = new AbortController();
  const result = execute(run, aborter.signal, finisher.signal);
  const early = result.then(({ errors }) => {
    throw new Error(`SIPp ended before it listened: ${errors}`);
  });
  const listening = Promise.race([untilListening(run.transport, run.port), early]);
  listening.catch(() => undefined);
  return { listening, result, finish: () => finisher.abort(), stop: () => aborter.abort() };
}

async function execute(run: SippRun, cut: AbortSignal, finish: AbortSignal): Promise<SippResult> {
  const folder = await mkdtemp(join(tmpdir(), 'sipp-'));
  try {
    const scenario = join(folder, 'scenario.xml');
    const { transport, port } = run.front ?? run;
    const text =
      typeof run.scenario === 'string'
        ? await readFile(join(scenarios, run.scenario), 'utf8')
        : run.scenario.xml;
    await writeFile(
      scenario,
      text
        .replaceAll('[via]', `${transport.toUpperCase()} 127.0.0.1:${port}`)
        .replaceAll('[reachable]', `127.0.0.1:${port};transport=${transport}`),
    );
    const screen = await output(run, scenario, folder, { cut, finish });
    const errors = await readFile(join(folder, 'errors'), 'utf8').catch(() => screen.slice(-2000));
    return {
      successful: lastNumber(screen, 'Successful call'),
      failed: lastNumber(screen, 'Failed call'),
      mostAtATime: Number([...screen.matchAll(/Peak was (\d+) calls/g)].at(-1)?.[1] ?? Number.NaN),
      errors,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function output(
  run: SippRun,
  scenario: string,
  folder: string,
  { cut, finish }: { readonly cut: AbortSignal; readonly finish: AbortSignal },
): Promise<string> {
  const args = [
    ...(run.target === undefined ? [] : [`127.0.0.1:${run.target}`]),
    ...[
      '-sf',
      scenario,
      '-i',
      '127.0.0.1',
      '-p',
      String(run.port),
      '-t',
      run.transport === 'udp' ? 'u1' : 't1',
    ],
    ...['-m', String(run.calls), '-timeout', `${run.timeoutSeconds}s`, '-nostdin', '-trace_err'],
    ...['-error_file', join(folder, 'errors'), '-buff_size', '4194304', '-skip_rlimit'],
    ...(run.echoPort === undefined ? [] : ['-rtp_echo', '-mp', String(run.echoPort)]),
    ...(run.isDeafInPauses === true ? ['-pause_msg_ign'] : []),
    ...(run.receiveWithinMs === undefined ? [] : ['-recv_timeout', String(run.receiveWithinMs)]),
    ...(run.seesRetransmissions === true ? ['-nr'] : []),
    ...(run.maxRetransmissions === undefined ? [] : ['-max_retrans', String(run.maxRetransmissions)]),
    ...(run.callsPerSecond === undefined ? [] : ['-r', String(run.callsPerSecond), '-l', '2000']),
  ];
  return new Promise((resolve, reject) => {
    const child = spawn(run.program, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    // Asked politely it waits for its calls to end.
    finish.addEventListener('abort', () => child.kill('SIGUSR1'));
    cut.addEventListener('abort', () => child.kill('SIGKILL'));
    child.on('error', reject);
    child.on('close', () => resolve(Buffer.concat(chunks).toString()));
  });
}
