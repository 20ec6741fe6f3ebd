import { accessSync, constants } from 'node:fs';

/** Programs from the distribution that tests speak with, and where Debian puts them. */
const peers = {
  chromium: ['/usr/bin/chromium'],
  kamailio: ['/usr/sbin/kamailio'],
  baresip: ['/usr/bin/baresip'],
  sipp: ['/usr/bin/sipp'],
  sipsak: ['/usr/bin/sipsak'],
  svmap: ['/usr/bin/svmap'],
  svwar: ['/usr/bin/svwar'],
  svcrack: ['/usr/bin/svcrack'],
  rtpengine: ['/usr/bin/rtpengine', '/usr/sbin/rtpengine'],
  'redis-server': ['/usr/bin/redis-server'],
} as const satisfies Record<string, readonly string[]>;

export type PeerName = keyof typeof peers;

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Where the program is, or undefined when it is not installed. */
export function findPeer(name: PeerName): string | undefined {
  return peers[name].find(isExecutable);
}

/**
 * For a `before` hook: returns the program's path, or skips the tests of the suite, with the reason in the output, when
 * it is not installed.
 */
export function requirePeer(context: Mocha.Context, name: PeerName): string {
  const path = findPeer(name);
  if (path !== undefined) return path;
  process.stdout.write(`      (${name} is not installed: these tests are skipped)\n`);
  context.skip();
}
