import assert from 'node:assert/strict';
import fc from 'fast-check';
import { SipFailure } from '../../../sip/failure.js';
import { trickleMismatch } from '../../../sip/sdp/trickle-match.js';
import { parseTrickle, type TrickleFragment } from '../../../sip/sdp/trickle.js';
import { fixture, fixtureNames } from '../../support/sdp-fixtures.js';

const pwd = 'asd88fgpdd777uzjYhagZg';

const described = (ufrag: string, mids: readonly string[] = ['0']): string =>
  [
    'v=0',
    ...mids.flatMap((mid) => [
      'm=audio 9 UDP/TLS/RTP/SAVPF 111',
      `a=mid:${mid}`,
      `a=ice-ufrag:${ufrag}`,
      `a=ice-pwd:${pwd}`,
    ]),
    '',
  ].join('\r\n');

const fragment = (ufrag: string, mids: readonly string[] = ['0'], password = pwd): TrickleFragment => {
  const lines = mids.flatMap((mid) => ['m=audio 9 RTP/AVP 0', `a=mid:${mid}`]);
  const read = parseTrickle([`a=ice-ufrag:${ufrag}`, `a=ice-pwd:${password}`, ...lines, ''].join('\r\n'));
  if (read instanceof SipFailure) throw read;
  return read;
};

describe('a trickle fragment and the descriptions of its sender', () => {
  it('fit when ICE generation and lines are those of one of them', () => {
    assert.equal(trickleMismatch(fragment('new1'), [described('new1'), described('old1')]), undefined);
    assert.equal(trickleMismatch(fragment('old1'), [described('new1'), described('old1')]), undefined);
    assert.equal(trickleMismatch(fragment('new1', []), [described('new1')]), undefined);
  });

  for (const [what, of, descriptions, said] of [
    ['the generation is another one', fragment('else'), [described('new1')], /ice-ufrag/],
    ['the password is another one', fragment('new1', ['0'], 'x'.repeat(22)), [described('new1')], /ice-pwd/],
    ['there is no description', fragment('new1'), [], /ice-ufrag/],
    ['a line is not there', fragment('new1', ['0', '1']), [described('new1')], /a=mid/],
    [
      'the line is one of another generation',
      fragment('new1', ['1']),
      [described('new1'), described('old1', ['0', '1'])],
      /a=mid/,
    ],
  ] as const) {
    it(`do not fit when ${what}`, () => {
      const mismatch = trickleMismatch(of, descriptions);
      assert.equal(mismatch?.code, 'media.sdp_malformed');
      assert.match(mismatch.message, said);
    });
  }

  it('do not fit without a generation', () => {
    const bare = parseTrickle('a=end-of-candidates\r\n');
    assert.ok(!(bare instanceof SipFailure));
    assert.match(trickleMismatch(bare, [described('new1')])?.message ?? '', /no usable a=ice-ufrag/);
  });

  it('fit for every line of every captured description that has ICE', () => {
    let fitting = 0;
    for (const name of fixtureNames()) {
      const description = fixture(name);
      const [ufrag, password] = ['ice-ufrag', 'ice-pwd'].map(
        (what) => new RegExp(`^a=${what}:(\\S+)`, 'm').exec(description)?.[1],
      );
      if (ufrag === undefined || password === undefined) continue;
      const mids = [...description.matchAll(/^a=mid:(\S+)/gm)].map(([, mid = '']) => mid);
      assert.equal(trickleMismatch(fragment(ufrag, mids, password), [description]), undefined, name);
      fitting += 1;
    }
    assert.ok(fitting > 10);
  });

  it('are compared without a throw, whatever they are', () => {
    const piece = fc.oneof(
      fc.constantFrom(...described('new1').split('\r\n')),
      fc.string({ unit: 'binary' }),
    );
    const text = fc.array(piece, { maxLength: 30 }).map((lines) => lines.join('\r\n'));
    fc.assert(
      fc.property(text, fc.array(text, { maxLength: 2 }), (body, descriptions) => {
        const read = parseTrickle(body);
        if (read instanceof SipFailure) return;
        const mismatch = trickleMismatch(read, descriptions);
        assert.ok(mismatch === undefined || mismatch.code === 'media.sdp_malformed');
      }),
      { numRuns: 500 },
    );
  });
});
