import { parseMessage } from '../../sip/message/index.js';
import { mutate, type Random } from './mutate.js';

const address = /\d{1,3}(?:\.\d{1,3}){3}/g;
/** Most mutations cannot be read: of every second one this many are tried for one that can, to get behind the codec. */
const tries = 5;

/** A mutation of one of `seeds` that names no address but loopback ones, as the engine may send something there. */
export function mutatedLocally(seeds: readonly Buffer[], random: Random): Buffer {
  for (let left = random(2) === 0 ? 1 : tries; ; left--) {
    const bytes = kept(mutate(seeds[random(seeds.length)] ?? Buffer.alloc(0), seeds, random));
    if (left <= 1 || parseMessage(bytes).kind !== 'failure') return bytes;
  }
}

function kept(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1');
  return Buffer.from(
    text.replace(address, (found) => (found.startsWith('127.') ? found : '127.0.0.1')),
    'latin1',
  );
}
