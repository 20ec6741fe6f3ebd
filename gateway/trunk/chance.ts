import { createHash, randomInt } from 'node:crypto';

/** A random number from 0 up to, not including, 1; tests put their own in its place. */
export type Chance = () => number;

const steps = 2 ** 32;

export const chance: Chance = () => randomInt(steps) / steps;

/** Numbers like random ones that are the same for one key every time. */
export function chanceOf(key: string): Chance {
  let count = 0;
  return () => {
    count += 1;
    return createHash('sha256').update(`${count} ${key}`).digest().readUInt32BE() / steps;
  };
}
