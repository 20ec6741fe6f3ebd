import assert from 'node:assert/strict';
import { reasonPhrase } from '../../../sip/message/status.js';

describe('reason phrases', () => {
  it('names known codes and falls back to the class', () => {
    assert.equal(reasonPhrase(486), 'Busy Here');
    assert.equal(reasonPhrase(100), 'Trying');
    assert.equal(reasonPhrase(499), 'Request Failure');
    assert.equal(reasonPhrase(299), 'OK');
  });
});
