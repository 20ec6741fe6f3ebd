import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readDtmfInfo, writeDtmfInfo } from '../../../gateway/call/dtmf-info.js';

const relay = 'application/dtmf-relay';
const plain = 'application/dtmf';

describe('DTMF in INFO', () => {
  const bodies: readonly (readonly [type: string, body: string, digit: string, durationMs: number])[] = [
    [relay, 'Signal=5\r\nDuration=160\r\n', '5', 160],
    [relay, 'Signal= *\r\nDuration= 80\r\n', '*', 80],
    [relay, 'signal=#\nduration=100', '#', 100],
    [relay, 'Signal=11\r\nDuration=100\r\n', '#', 100],
    [relay, 'Duration=90\r\nSignal=d\r\n', 'D', 90],
    [relay, 'Signal=1\r\n', '1', 250],
    [relay, 'Signal=1\r\nDuration=99999\r\n', '1', 6_000],
    [`${relay.toUpperCase()} ; charset=utf-8`, 'Signal=0\r\nDuration=160', '0', 160],
    [plain, '7', '7', 250],
    [plain, '10\r\n', '*', 250],
  ];
  for (const [type, body, digit, durationMs] of bodies) {
    it(`reads ${JSON.stringify(body)} of ${type}`, () => {
      assert.deepEqual(readDtmfInfo(type, body), { digit, durationMs });
    });
  }

  const others: readonly (readonly [type: string | undefined, body: string])[] = [
    [relay, 'Signal=!\r\nDuration=160\r\n'],
    [relay, 'Signal=55\r\n'],
    [relay, 'Signal=16\r\n'],
    [relay, ''],
    [plain, ''],
    [plain, '5 5'],
    ['application/trickle-ice-sdpfrag', '5'],
    [undefined, '5'],
  ];
  for (const [type, body] of others) {
    it(`takes ${JSON.stringify(body)} of ${type ?? 'no type'} for no tone`, () => {
      assert.equal(readDtmfInfo(type, body), undefined);
    });
  }

  it('reads what it has written', () => {
    const tone = {
      digit: fc.constantFrom(...'0123456789*#ABCD'),
      durationMs: fc.integer({ min: 1, max: 6_000 }),
    };
    fc.assert(
      fc.property(fc.record(tone), (one) => {
        const { contentType, body } = writeDtmfInfo(one, relay);
        assert.deepEqual(readDtmfInfo(contentType, body), { ...one });
        assert.equal(readDtmfInfo(plain, writeDtmfInfo(one, plain).body)?.digit, one.digit);
      }),
    );
  });
});
