import { randomFillSync } from 'node:crypto';

/** 128 random bits for each id. */
const idBytes = 16;
const pool = Buffer.alloc(256 * idBytes);
let used = pool.length;

/** 32 hexadecimal digits from the pool, which is refilled for 256 ids at once: one system call for each would cost more than a parse. */
function randomHex(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const text = pool.toString('hex', used, used + idBytes);
  used += idBytes;
  return text;
}

/** A From or To tag (RFC 3261 §19.3). */
export function newTag(): string {
  return randomHex();
}

/** A Via branch with the magic cookie (RFC 3261 §8.1.1.7). */
export function newBranch(): string {
  return `z9hG4bK${randomHex()}`;
}

/**
 * A Call-ID (RFC 3261 §8.1.1.4). Interop: begins with `W`, because sip.js and JsSIP answer 482 to one that begins
 * with the characters of `[0-9a-v]` that they drew for themselves.
 */
export function newCallId(): string {
  return `W${randomHex()}`;
}

/** One of our own ids: flow, endpoint, call, leg, media session. */
export function newId(prefix: 'f_' | 'e_' | 'c_' | 'l_' | 'm_'): string {
  return prefix + randomHex();
}
