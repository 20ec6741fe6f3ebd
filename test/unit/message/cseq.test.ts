import assert from 'node:assert/strict';
import { parseCSeq } from '../../../sip/message/cseq.js';

describe('CSeq', () => {
  it('reads number and method', () => {
    assert.deepEqual(parseCSeq('4711 INVITE'), { number: 4711, method: 'INVITE' });
    assert.deepEqual(parseCSeq('0009 \t INVITE'), { number: 9, method: 'INVITE' });
    assert.deepEqual(parseCSeq('2147483647 X'), { number: 2147483647, method: 'X' });
  });

  for (const bad of [
    '',
    '1',
    'INVITE',
    '-1 INVITE',
    '1 IN VITE',
    '2147483648 INVITE',
    '36893488147419103232 INVITE',
    '1x INVITE',
    ' 1 A',
  ]) {
    it(`refuses ${JSON.stringify(bad)}`, () => assert.equal(parseCSeq(bad), undefined));
  }
});
