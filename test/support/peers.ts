import { existsSync } from 'node:fs';

/** Programs from the distribution that tests speak with, and where Debian puts them; of a library its copyright. */
const peers = {
  chromium: ['/usr/bin/chromium'],
  kamailio: ['/usr/sbin/kamailio'],
  'kamailio-tls-modules': ['/usr/share/doc/kamailio-tls-modules/copyright'],
  'kamailio-presence-modules': ['/usr/share/doc/kamailio-presence-modules/copyright'],
  baresip: ['/usr/bin/baresip'],
  sipp: ['/usr/bin/sipp'],
  stunnel4: ['/usr/bin/stunnel4'],
  sipsak: ['/usr/bin/sipsak'],
  svmap: ['/usr/bin/svmap'],
  svwar: ['/usr/bin/svwar'],
  svcrack: ['/usr/bin/svcrack'],
  rtpengine: ['/usr/bin/rtpengine', '/usr/sbin/rtpengine'],
  turnserver: ['/usr/bin/turnserver'],
  'redis-server': ['/usr/bin/redis-server'],
  haproxy: ['/usr/sbin/haproxy'],
} as const satisfies Record<string, readonly string[]>;

export type PeerName = keyof typeof peers;

/** Where the program is, or undefined when it is not installed. */
export function findPeer(name: PeerName): string | undefined {
  return peers[name].find((path) => existsSync(path));
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
