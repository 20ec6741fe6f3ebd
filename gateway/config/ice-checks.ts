import type { CrossFinding } from './problem.js';
import type { ConfigFile } from './schema.js';

type IceServer = ConfigFile['ice']['servers'][number];

const isTurn = (url: string): boolean => /^turns?:/.test(url);

/** Passwords of TURN servers that contradict each other, are missing, or have nothing to be for. */
export function checkIce({ ice }: Partial<ConfigFile>): CrossFinding[] {
  return (ice?.servers ?? []).flatMap((server, index) => {
    const finding = findingOf(server);
    return finding === undefined ? [] : [{ path: ['ice', 'servers', index], ...finding }];
  });
}

function findingOf({
  urls,
  username,
  credential,
  secret,
}: IceServer): Omit<CrossFinding, 'path'> | undefined {
  const hasOwn = username !== undefined || credential !== undefined;
  if (secret !== undefined && hasOwn) {
    const problem = 'with secret each user gets a user name and password of their own';
    return { problem, fix: 'remove username and credential, or secret' };
  }
  if (secret !== undefined && !urls.some(isTurn)) {
    return { problem: 'a stun: server wants no password', fix: 'write turn:HOST:PORT, or remove secret' };
  }
  const isOpen = username === undefined || credential === undefined;
  if (secret === undefined && isOpen && urls.some(isTurn)) {
    const problem = 'browsers use a turn: server only with user name and password';
    return { problem, fix: 'add for example secret: ${TURN_SECRET}, or username and credential' };
  }
  return undefined;
}
