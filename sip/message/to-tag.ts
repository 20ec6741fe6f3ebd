import { hash, randomBytes } from 'node:crypto';

/** Makes our tags unpredictable to peers that know what goes into them. */
const salt = randomBytes(16).toString('hex');

/**
 * The To tag of a stateless response: the same for each retransmission of the same request (RFC 3261 §8.2.7).
 * `branch` is the topmost Via's.
 */
export function statelessTag(branch: string, callId: string, cseq: string): string {
  return hash('sha256', `${salt}\n${branch}\n${callId}\n${cseq}`, 'hex').slice(0, 32);
}
