import assert from 'node:assert/strict';
import fc from 'fast-check';
import { SipFailure } from '../../../sip/failure.js';
import {
  parseTrickle,
  writeTrickle,
  type TrickledLine,
  type TrickleFragment,
} from '../../../sip/sdp/trickle.js';

const ok = (text: string): TrickleFragment => {
  const fragment = parseTrickle(text);
  if (fragment instanceof SipFailure) throw fragment;
  return fragment;
};

const told = ({ mid, candidates }: TrickledLine): readonly unknown[] => [
  mid,
  candidates.map(({ foundation, host, port, priority, type }) => [foundation, host, port, priority, type]),
];

/** The shape of RFC 8840 §9.2, figure 6. */
const example = [
  'a=ice-pwd:asd88fgpdd777uzjYhagZg',
  'a=ice-ufrag:8hhY',
  'm=audio 9 RTP/AVP 0',
  'a=mid:1',
  'a=candidate:1 1 UDP 1658497328 2001:db8::4 5000 typ host',
  'a=candidate:2 1 UDP 1658497328 203.0.113.9 5001 typ srflx raddr 192.168.0.2 rport 5001',
  'm=audio 9 RTP/AVP 0',
  'a=mid:2',
  'a=candidate:1 1 UDP 1658497328 2001:db8::4 5002 typ host',
  'a=end-of-candidates',
  '',
].join('\r\n');

describe('a trickle fragment', () => {
  it('tells the generation, and the candidates of each line by its mid', () => {
    const { ice, lines, endOfCandidates } = ok(example);
    assert.deepEqual(ice, { ufrag: '8hhY', pwd: 'asd88fgpdd777uzjYhagZg' });
    assert.deepEqual(
      lines.map(({ mid, candidates }) => [mid, candidates.map(({ host, port }) => `${host} ${port}`)]),
      [
        ['1', ['2001:db8::4 5000', '203.0.113.9 5001']],
        ['2', ['2001:db8::4 5002']],
      ],
    );
    assert.equal(lines[0]?.candidates[1]?.relatedHost, '192.168.0.2');
    assert.equal(endOfCandidates, true);
  });

  it('without m= is about the only line', () => {
    const { lines, ice } = ok('a=candidate:1 1 udp 1 192.0.2.1 5000 typ host\na=mid:x\n');
    assert.equal(lines.length, 1);
    assert.equal(lines[0]?.mid, 'x');
    assert.equal(ice, undefined);
  });

  it('may bring nothing but the end', () => {
    assert.deepEqual(ok('a=end-of-candidates\r\n'), { ice: undefined, lines: [], endOfCandidates: true });
    assert.equal(writeTrickle(ok('a=end-of-candidates\r\n')), 'a=end-of-candidates\r\n');
  });

  it('passes over candidates that cannot be read', () => {
    const { lines } = ok('m=audio 9 RTP/AVP 0\r\na=candidate:1 1 udp x 192.0.2.1 5000 typ host\r\n');
    assert.deepEqual(lines[0]?.candidates, []);
  });

  it('that is not of lines is refused with the line', () => {
    const refused = parseTrickle('a=mid:1\r\nnonsense');
    assert.ok(refused instanceof SipFailure);
    assert.equal(refused.code, 'media.sdp_malformed');
    assert.match(refused.message, /line 2/);
  });

  it('is written as it was read', () => {
    const fragment = ok(example);
    const again = ok(writeTrickle(fragment));
    assert.deepEqual(
      { ...again, lines: again.lines.map(told) },
      { ...fragment, lines: fragment.lines.map(told) },
    );
  });

  it('of anything is read or refused, and never throws', () => {
    const piece = fc.oneof(fc.constantFrom(...example.split('\r\n')), fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const fragment = parseTrickle(pieces.join('\r\n'));
        if (fragment instanceof SipFailure) assert.equal(fragment.code, 'media.sdp_malformed');
        else ok(writeTrickle(fragment));
      }),
      { numRuns: 500 },
    );
  });
});
