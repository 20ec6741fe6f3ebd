import { randomInt } from 'node:crypto';

/** A random number from 0 up to, not including, 1; tests put their own in its place. */
export type Chance = () => number;

const steps = 2 ** 32;

export const chance: Chance = () => randomInt(steps) / steps;
