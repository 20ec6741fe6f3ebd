import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { UsageError } from './usage.js';

/** What is done to a user in a users file. */
export type UserEdit =
  { readonly action: 'add' | 'passwd'; readonly line: string } | { readonly action: 'remove' };

/** `user@domain` of every line, in the order of the file. Throws a UsageError when it cannot be read. */
export async function listUsers(file: string): Promise<readonly string[]> {
  return (await readLines(file)).flatMap((line) => {
    const [user, domain] = line.split(':');
    return line.startsWith('#') || user === undefined || domain === undefined ? [] : [`${user}@${domain}`];
  });
}

/**
 * Adds a user, gives a new password, or removes one; all other lines stay as they are. The file is replaced whole, so
 * that a webtrunk that reads it meanwhile sees the old or the new one. `add` makes the file when there is none. Throws a
 * UsageError when the user is there already, or is not.
 */
export async function editUser(file: string, user: string, domain: string, edit: UserEdit): Promise<void> {
  const lines = await readLines(file, edit.action === 'add');
  const isTheirs = (line: string): boolean => line.startsWith(`${user}:${domain}:`);
  const isThere = lines.some(isTheirs);
  if (edit.action === 'add' && isThere) throw new UsageError(`${user}@${domain} is in ${file} already`);
  if (edit.action !== 'add' && !isThere) throw new UsageError(`${user}@${domain} is not in ${file}`);
  const others = lines.filter((line) => !isTheirs(line));
  if (edit.action === 'add') others.push(edit.line);
  const changed =
    edit.action === 'passwd' ? lines.map((line) => (isTheirs(line) ? edit.line : line)) : others;
  const mode = await stat(file).then(
    (known) => known.mode,
    () => 0o600,
  );
  await writeFile(`${file}.new`, changed.map((line) => `${line}\n`).join(''), { mode });
  await rename(`${file}.new`, file);
}

async function readLines(file: string, mayBeMissing = false): Promise<string[]> {
  try {
    return (await readFile(file, 'utf8')).split(/\r?\n/).filter((line) => line !== '');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    if (mayBeMissing && code === 'ENOENT') return [];
    throw new UsageError(`${file} cannot be read: ${code}`, { cause });
  }
}
