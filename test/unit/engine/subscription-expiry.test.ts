import assert from 'node:assert/strict';
import { expiresSeconds } from '../../../sip/engine/binding/subscription-expiry.js';

describe('subscription expiry', () => {
  it('takes the first Expires that can be read', () => {
    assert.equal(expiresSeconds('60', '30'), 60);
    assert.equal(expiresSeconds(' 0 '), 0);
    assert.equal(expiresSeconds(undefined, '30'), 30);
    assert.equal(expiresSeconds('-1', 'soon', '4294967295'), 4_294_967_295);
  });

  it('takes an hour when there is none', () => {
    assert.equal(expiresSeconds(), 3600);
    assert.equal(expiresSeconds(undefined, '12345678901'), 3600);
  });
});
