import assert from 'node:assert/strict';
import { rejectedAnswer } from '../../../sip/sdp/rejected-answer.js';
import { parseSession } from '../../../sip/sdp/session.js';
import { fixture } from '../../support/sdp-fixtures.js';

describe('an answer that refuses everything', () => {
  for (const name of ['audio-offer.trickle', 'ipv6-pbx-offer']) {
    it(`to ${name} has its lines in order, each with port 0`, () => {
      const offer = fixture(name);
      const answer = rejectedAnswer(offer);
      const linesOf = (sdp: string): readonly string[] => sdp.match(/^(?:m=|a=mid:).*$/gm) ?? [];
      assert.deepEqual(
        linesOf(answer),
        linesOf(offer).map((line) => line.replace(/^(m=\S+) \d+/, '$1 0')),
      );
      assert.equal('media' in parseSession(answer), true);
    });
  }
});
