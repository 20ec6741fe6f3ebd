/** Integers from 0 to `below` - 1. */
export type Random = (below: number) => number;

/** A small generator that gives the same numbers for the same seed, so that a failed round can be run again. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % below;
  };
}

/** What mutations like to insert. */
const bits = [
  '\r\n',
  '\r',
  '\n',
  '\0',
  ' ',
  '\t',
  '\r\n ',
  '\r\n\r\n',
  '"',
  '\\',
  '<',
  '>',
  ';',
  ',',
  ':',
  '@',
  '%',
  '%00',
  '%0d%0a',
  '=',
  '?',
  '*',
  '[',
  ']',
  '\u00fc',
  '\ufeff',
  'SIP/2.0',
  'sip:',
  'tel:+1',
  'Content-Length: 5\r\n',
  'l: 0\r\n',
  'Via: x\r\n',
  ';tag=',
  ';branch=',
  '-1',
  '99999999999',
].map((text) => Buffer.from(text));

type Mutation = (bytes: Buffer, seeds: readonly Buffer[], random: Random) => Buffer;

const replace = (bytes: Buffer, start: number, end: number, middle: Buffer): Buffer =>
  Buffer.concat([bytes.subarray(0, start), middle, bytes.subarray(end)]);

const mutations: readonly Mutation[] = [
  function flipByte(bytes, _seeds, random) {
    const copy = Buffer.from(bytes);
    const at = random(bytes.length + 1);
    if (at < copy.length) copy[at] = random(256);
    return copy;
  },
  function insertBit(bytes, _seeds, random) {
    const at = random(bytes.length + 1);
    return replace(bytes, at, at, bits[random(bits.length)] ?? Buffer.alloc(0));
  },
  function overwriteWithBit(bytes, _seeds, random) {
    const at = random(bytes.length + 1);
    const bit = bits[random(bits.length)] ?? Buffer.alloc(0);
    return replace(bytes, at, at + bit.length, bit);
  },
  function remove(bytes, _seeds, random) {
    const at = random(bytes.length + 1);
    return replace(bytes, at, at + random(20), Buffer.alloc(0));
  },
  function repeat(bytes, _seeds, random) {
    const at = random(bytes.length + 1);
    const part = bytes.subarray(at, at + random(60));
    return replace(bytes, at, at, Buffer.concat(Array.from({ length: 1 + random(30) }, () => part)));
  },
  function truncate(bytes, _seeds, random) {
    return bytes.subarray(0, random(bytes.length + 1));
  },
  function splice(bytes, seeds, random) {
    const other = seeds[random(seeds.length)] ?? bytes;
    return Buffer.concat([
      bytes.subarray(0, random(bytes.length + 1)),
      other.subarray(random(other.length + 1)),
    ]);
  },
  function swapLines(bytes, _seeds, random) {
    const lines = bytes.toString('latin1').split('\r\n');
    const [a, b] = [random(lines.length), random(lines.length)];
    [lines[a], lines[b]] = [lines[b] ?? '', lines[a] ?? ''];
    return Buffer.from(lines.join('\r\n'), 'latin1');
  },
];

/** One to three random changes to `bytes`. */
export function mutate(bytes: Buffer, seeds: readonly Buffer[], random: Random): Buffer {
  let result = bytes;
  for (let i = 1 + random(3); i > 0; i--) {
    result = mutations[random(mutations.length)]?.(result, seeds, random) ?? result;
  }
  return result;
}
