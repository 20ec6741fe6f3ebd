import assert from 'node:assert/strict';
import { newBranch, newCallId, newId, newTag } from '../../../sip/message/ids.js';
import { isToken } from '../../../sip/message/chars.js';

describe('generated ids', () => {
  it('carry 128 random bits, are tokens and never repeat over refills of the pool', () => {
    const seen = new Set<string>();
    for (let i = 0; i < 2000; i++) {
      for (const id of [newTag(), newBranch(), newCallId(), newId('f_')]) {
        assert.ok(isToken(id));
        assert.match(id, /[0-9a-f]{32}$/);
        seen.add(id.slice(-32));
      }
    }
    assert.equal(seen.size, 8000);
  });

  it('have the prefixes that peers look for', () => {
    assert.ok(newBranch().startsWith('z9hG4bK'));
    assert.ok(newId('m_').startsWith('m_'));
    assert.match(newCallId(), /^[^0-9a-v]/);
  });
});
