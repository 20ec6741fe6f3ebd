import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { partyOf } from '#web/phone/call/party.js';

const identity = (displayName: string, user: string | undefined, host = 'localhost') => ({
  displayName,
  uri: { user, host },
});

describe('the name of the other party', () => {
  it('is the display name with the number below', () => {
    assert.deepEqual(partyOf(identity('Bob', '12'), 'localhost'), { name: 'Bob', address: '12' });
  });

  it('is the number alone when there is no name or the name says nothing more', () => {
    assert.deepEqual(partyOf(identity('', '12'), 'localhost'), { name: '12', address: '' });
    assert.deepEqual(partyOf(identity('12', '12'), 'localhost'), { name: '12', address: '' });
  });

  it('has the host when it is not ours', () => {
    assert.deepEqual(partyOf(identity('', 'bob', 'o.org'), 'localhost'), { name: 'bob@o.org', address: '' });
  });

  it('is unknown for an anonymous caller', () => {
    const anonymous = identity('', 'anonymous', 'anonymous.invalid');
    assert.deepEqual(partyOf(anonymous, 'localhost'), { name: 'Unknown caller', address: '' });
    assert.deepEqual(partyOf(identity('', undefined), 'localhost'), { name: 'Unknown caller', address: '' });
  });

  it('survives a user part with a broken escape', () => {
    assert.equal(partyOf(identity('', '50%'), 'localhost').name, '50%');
    assert.equal(partyOf(identity('', '%2312'), 'localhost').name, '#12');
  });
});
