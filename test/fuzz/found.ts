import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Inputs that went wrong once: `<target>-<hash>.bin`, replayed by test/fuzz/fuzz.test.ts. */
const folder = fileURLToPath(new URL('../../../test/fuzz/found', import.meta.url));

/** Keeps an input that went wrong; gives where. */
export function keepFound(target: string, bytes: Buffer): string {
  mkdirSync(folder, { recursive: true });
  const name = `${target}-${createHash('sha256').update(bytes).digest('hex').slice(0, 12)}.bin`;
  writeFileSync(join(folder, name), bytes);
  return `test/fuzz/found/${name}`;
}

/** What was kept for that target. */
export function foundFor(target: string): readonly { readonly name: string; readonly bytes: Buffer }[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.startsWith(`${target}-`))
    .map((name) => ({ name, bytes: readFileSync(join(folder, name)) }));
}
