import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Our scenarios; the compiled tests run from dist/. */
const scenarios = fileURLToPath(new URL('../../../test/support/sipp/', import.meta.url));

export interface SippRun {
  readonly program: string;
  /** File name in test/support/sipp. */
  readonly scenario: string;
  readonly transport: 'udp' | 'tcp';
  /** Port of SIPp itself on 127.0.0.1. */
  readonly port: number;
  /** Where a caller sends to. */
  readonly target?: number;
  readonly calls: number;
  readonly callsPerSecond?: number;
  /** `[name]` in the scenario is replaced by the value. */
  readonly values?: Readonly<Record<string, string | number>>;
  readonly timeoutSeconds: number;
}

export interface SippResult {
  readonly successful: number;
  readonly failed: number;
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

/** Runs SIPp until it has made or taken its calls; `stop` ends it early. */
export function startSipp(run: SippRun): { readonly result: Promise<SippResult>; stop(): void } {
  const aborter = new AbortController();
  return { result: execute(run, aborter.signal), stop: () => aborter.abort() };
}

async function execute(run: SippRun, signal: AbortSignal): Promise<SippResult> {
  const folder = await mkdtemp(join(tmpdir(), 'sipp-'));
  try {
    const scenario = join(folder, run.scenario);
    let text = await readFile(join(scenarios, run.scenario), 'utf8');
    for (const [name, value] of Object.entries(run.values ?? {}))
      text = text.replaceAll(`[${name}]`, String(value));
    await writeFile(scenario, text);
    const screen = await output(run, scenario, folder, signal);
    const errors = await readFile(join(folder, 'errors'), 'utf8').catch(() => '');
    return {
      successful: lastNumber(screen, 'Successful call'),
      failed: lastNumber(screen, 'Failed call'),
      errors,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function output(run: SippRun, scenario: string, folder: string, signal: AbortSignal): Promise<string> {
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
    ...(run.callsPerSecond === undefined ? [] : ['-r', String(run.callsPerSecond), '-l', '2000']),
  ];
  return new Promise((resolve, reject) => {
    const child = spawn(run.program, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    signal.addEventListener('abort', () => child.kill());
    child.on('error', reject);
    child.on('close', () => resolve(Buffer.concat(chunks).toString()));
  });
}
