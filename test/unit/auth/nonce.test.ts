import assert from 'node:assert/strict';
import { NonceSigner } from '../../../gateway/auth/nonce.js';
import { NonceWindow } from '../../../gateway/auth/nonce-window.js';

describe('NonceSigner', () => {
  const signer = new NonceSigner();
  const nonce = signer.issue(1_700_000_000_123, 7, 'f_1 localhost');

  it('reads back when and with which serial a nonce was issued', () => {
    assert.deepEqual(signer.check(nonce, 'f_1 localhost'), { issuedAtMs: 1_700_000_000_123, serial: 7 });
  });

  it('knows no nonce of another scope or of another secret', () => {
    assert.equal(signer.check(nonce, 'f_2 localhost'), undefined);
    assert.equal(signer.check(nonce, 'f_1 example.com'), undefined);
    assert.equal(new NonceSigner().check(nonce, 'f_1 localhost'), undefined);
  });

  it('knows no nonce in which anything was changed', () => {
    for (let at = 0; at < nonce.length - 1; at += 1) {
      const changed = nonce.slice(0, at) + (nonce[at] === 'A' ? 'B' : 'A') + nonce.slice(at + 1);
      assert.equal(signer.check(changed, 'f_1 localhost'), undefined, changed);
    }
    for (const text of ['', nonce.slice(1), `${nonce}A`, '"'.repeat(35), 'é'.repeat(35)]) {
      assert.equal(signer.check(text, 'f_1 localhost'), undefined, text);
    }
  });
});

describe('NonceWindow', () => {
  it('numbers nonces from 1', () => {
    const window = new NonceWindow();
    assert.deepEqual([window.nextSerial(), window.nextSerial()], [1, 2]);
  });

  it('takes each nonce-count once and only upwards', () => {
    const window = new NonceWindow();
    assert.deepEqual(
      [1, 1, 3, 2, 4].map((count) => window.use(1, count)),
      ['fresh', 'replayed', 'fresh', 'replayed', 'fresh'],
    );
  });

  it('takes several nonces beside each other', () => {
    const window = new NonceWindow();
    assert.deepEqual(
      [2, 1, 2, 1].map((serial, at) => window.use(serial, at < 2 ? 1 : 2)),
      ['fresh', 'fresh', 'fresh', 'fresh'],
    );
  });

  it('calls a nonce stale that is older than those it remembers, so that none is taken twice', () => {
    const window = new NonceWindow();
    for (let serial = 1; serial <= 20; serial += 1) assert.equal(window.use(serial, 1), 'fresh');
    for (let serial = 1; serial <= 20; serial += 1) assert.notEqual(window.use(serial, 1), 'fresh');
    assert.equal(window.use(1, 2), 'stale');
    assert.equal(window.use(20, 2), 'fresh');
  });
});
