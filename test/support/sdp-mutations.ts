import assert from 'node:assert/strict';
import fc from 'fast-check';
import { SipFailure } from '../../sip/failure.js';
import { fixture, fixtureNames } from './sdp-fixtures.js';

/** Generous for a busy machine: the largest fixture takes about one. */
const boundMs = 250;

const captured = fixtureNames().map((name) => fixture(name));
const junk = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    '\r\n',
    '\n',
    '\0',
    '=',
    ':',
    ' ',
    '/',
    '4294967296',
    '-1',
    'a='.repeat(200),
    '1'.repeat(400),
    '\u2028',
  ),
  fc.constantFrom(
    'm=audio 9 RTP/AVP 0\r\n',
    'c=IN IP4 0.0.0.0\r\n',
    'a=rtpmap:0 x/0\r\n',
    'a=group:BUNDLE 0 0 0\r\n',
  ),
);

type Mutation = (text: string) => string;

const place = fc.double({ min: 0, max: 1, noNaN: true });

/** Cuts, inserts, repeats and swaps pieces of characters or lines. */
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(place, fc.nat(60)).map(([at, count]): Mutation => (text) => {
    const from = Math.floor(at * text.length);
    return text.slice(0, from) + text.slice(from + count);
  }),
  fc.tuple(place, junk).map(([at, added]): Mutation => (text) => {
    const from = Math.floor(at * text.length);
    return text.slice(0, from) + added + text.slice(from);
  }),
  fc.tuple(place, place, fc.integer({ min: 0, max: 40 })).map(([one, other, times]): Mutation => (text) => {
    const lines = text.split('\r\n');
    const line = lines[Math.floor(one * (lines.length - 1))] ?? '';
    lines.splice(Math.floor(other * lines.length), times === 0 ? 1 : 0, ...Array<string>(times).fill(line));
    return lines.join('\r\n');
  }),
  fc.tuple(place, fc.constantFrom('0', '1', '65535', '65536', '255', '127')).map(([at, number]): Mutation => {
    return (text) => {
      const found = [...text.matchAll(/\d+/g)];
      const match = found[Math.floor(at * (found.length - 1))];
      if (match === undefined) return text;
      return text.slice(0, match.index) + number + text.slice(match.index + match[0].length);
    };
  }),
);

/** Captured descriptions, changed in up to three places. */
export const mutated = fc
  .tuple(fc.constantFrom(...captured), fc.array(mutation, { maxLength: 3 }))
  .map(([text, mutations]) => mutations.reduce((changed, mutate) => mutate(changed), text));

/** A slow input is slow each time; a busy machine is not. */
export function timed<T>(act: () => T, triesLeft = 2): T {
  const startMs = performance.now();
  const result = act();
  if (performance.now() - startMs < boundMs) return result;
  assert.ok(triesLeft > 0, 'took too long');
  return timed(act, triesLeft - 1);
}

/** Is it a typed refusal? One of another kind, or with a header that cannot be sent, fails the test. */
export function isRefusal(result: unknown): result is SipFailure {
  if (!(result instanceof SipFailure)) return false;
  assert.ok(['media.sdp_malformed', 'media.not_acceptable'].includes(result.code), result.code);
  for (const [, value] of result.headers) assert.match(value, /^[\x20-\x7e]{1,260}$/);
  return true;
}
