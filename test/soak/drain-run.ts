import { findPeer } from '../support/peers.js';
import { drainText, drainUnderLoad } from './drain.js';
import type { Soak } from './soak.js';

const minPhones = 80;
const rate = 20;
const pauseMs = 15_000;

/** The long form: 20 calls/s and as many phones as endpoints are asked for, with calls of up to 10 s. */
export const soakDrain: Soak = async ({ endpoints }) => {
  const haproxy = findPeer('haproxy');
  if (haproxy === undefined) throw new Error('it needs haproxy');
  const phones = Math.max(minPhones, endpoints);
  const outcome = await drainUnderLoad({
    haproxy,
    rate,
    phones,
    pauseMs,
    talkMs: { least: 300, most: 10_000 },
  });
  if (outcome.failed.length > 0 || outcome.ghosts > 0) {
    throw new Error(`${drainText(outcome)}; ${outcome.ghosts} left at the PBX; ${outcome.failed.join('; ')}`);
  }
  return drainText(outcome);
};
