import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Some scanners never give up; an interrupt makes them show what they have found. */
const enoughMs = 3_500;

/**
 * Runs a SIP scanner to its end, or for as long as one would watch it, and gives what it has printed. `files` are put into
 * the folder that it runs in.
 */
export async function scan(
  program: string,
  args: readonly string[],
  files: Readonly<Record<string, string>> = {},
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'scanner-'));
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    return await output(program, args, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function output(program: string, args: readonly string[], folder: string): Promise<string> {
  // SIPVicious keeps its findings below HOME.
  const env = { ...process.env, HOME: folder, PYTHONDONTWRITEBYTECODE: '1' };
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    const interrupts = setInterval(() => child.kill('SIGINT'), enoughMs);
    child.on('error', reject);
    child.on('close', () => {
      clearInterval(interrupts);
      resolve(Buffer.concat(chunks).toString());
    });
  });
}
