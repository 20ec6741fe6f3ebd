import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { ha1 } from '../../sip/message/index.js';

/** The line of a users file (`user:realm:HA1`, as htdigest writes it). */
export function htdigestLine(user: string, domain: string, password: string): string {
  return `${user}:${domain}:${ha1(user, domain, password, 'MD5')}`;
}

/** Reads one line; at a terminal asks for it with `prompt` and does not show what is typed. */
export async function readPassword(
  input: NodeJS.ReadableStream & { readonly isTTY?: boolean },
  prompt: (text: string) => void,
): Promise<string | undefined> {
  const terminal = input.isTTY === true;
  if (terminal) prompt('Password: ');
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: unseen, terminal });
  try {
    for await (const line of lines) return line;
    return undefined;
  } finally {
    lines.close();
    if (terminal) prompt('\n');
  }
}
