import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readFigures } from '../../../sip/media/rtpengine/call-figures.js';
import { decodeNg, encodeNg, type NgCommand } from '../../../sip/media/rtpengine/ng-codec.js';

function figuresOf(answer: NgCommand) {
  return readFigures(decodeNg(encodeNg(answer)) ?? new Map());
}

describe('figures of rtpengine', () => {
  it('add up the streams of an end', () => {
    const stream = (packets: number, ssrc?: number): NgCommand => ({
      ...(ssrc === undefined ? {} : { SSRC: ssrc }),
      stats: { packets, bytes: packets * 100, errors: 1 },
    });
    const { ends } = figuresOf({
      tags: { l_1: { medias: [{ streams: [stream(10, 5), stream(2)] }, { streams: [stream(3, 6)] }] } },
    });
    assert.deepEqual(ends.get('l_1'), { packets: 15, bytes: 1_500, errors: 3, ssrcs: ['5', '6'] });
  });

  it('read what each SSRC reports', () => {
    const { reports } = figuresOf({
      SSRC: {
        '5': {
          'average MOS': { MOS: 41, 'round-trip time': 12_500, jitter: 3, 'packet loss': 1, samples: 2 },
        },
        '6': { bytes: 100 },
      },
    });
    assert.deepEqual([...reports], [['5', { packetLoss: 1, jitterMs: 3, roundTripMs: 12.5, mos: 4.1 }]]);
  });

  it('never throw, whatever the answer holds', () => {
    const key = fc.constantFrom(
      'tags',
      'SSRC',
      'l_1',
      'medias',
      'streams',
      'stats',
      'average MOS',
      'packets',
    );
    const { value } = fc.letrec<{ value: NgCommand | number | string }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 6 },
        fc.integer(),
        fc.constant('text'),
        fc.array(tie('value'), { maxLength: 3 }) as fc.Arbitrary<never>,
        fc.dictionary(key, tie('value'), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(fc.dictionary(key, value, { maxKeys: 3 }), (answer) => {
        for (const { packets, bytes, errors } of figuresOf(answer).ends.values())
          for (const count of [packets, bytes, errors]) assert.ok(count >= 0);
      }),
    );
  });
});
