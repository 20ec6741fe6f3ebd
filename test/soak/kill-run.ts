import { findPeer } from '../support/peers.js';
import { Rtpengine } from '../support/rtpengine.js';
import type { KillCase } from './kill-case.js';
import { killTable, killWithCallsUp } from './kill.js';
import type { Soak } from './soak.js';

/** Every SIP engine with every store, and both stores with media that ends with the process. */
export const killCases: readonly KillCase[] = [
  { engine: 'embedded', store: 'memory', media: 'rtpengine' },
  { engine: 'drachtio', store: 'memory', media: 'rtpengine' },
  { engine: 'embedded', store: 'redis', media: 'rtpengine' },
  { engine: 'drachtio', store: 'redis', media: 'rtpengine' },
  { engine: 'embedded', store: 'memory', media: 'relay' },
  { engine: 'embedded', store: 'redis', media: 'relay' },
];

const calls = 200;
const graceSeconds = 15;
const mediaPorts = { min: 42_000, max: 43_999 };

/** The long form: 200 calls are up at each kill. */
export const soakKill: Soak = async ({ say }) => {
  const [redis, program] = [findPeer('redis-server'), findPeer('rtpengine')];
  if (redis === undefined || program === undefined) throw new Error('it needs redis-server and rtpengine');
  const server = await Rtpengine.start(program, { mediaPorts });
  try {
    const programs = { redis, ng: server.port };
    const outcomes = await killWithCallsUp({ calls, graceSeconds, programs, cases: killCases });
    for (const line of killTable(outcomes).split('\n')) say(line);
    const bad = outcomes.filter(({ ghosts, left }) => ghosts > 0 || left !== '');
    if (bad.length > 0)
      throw new Error(bad.map(({ ghosts, left }) => `${ghosts} ghosts; ${left}`).join('; '));
    return `${calls} calls up at each of ${outcomes.length} kills, no ghost`;
  } finally {
    await server.stop();
  }
};
