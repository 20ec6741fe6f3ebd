import assert from 'node:assert/strict';
import type { OutOfDialogResponse } from '../../../sip/trunk/srf.js';
import { TrunkRegistration } from '../../../sip/trunk/trunk-registration.js';
import { FakeClock } from '../../support/fake-clock.js';

const account = {
  username: 'gw',
  password: 'secret',
  aor: 'sip:gw@carrier.test',
  registrar: 'sip:carrier.test',
};

describe('how long a registrar keeps a binding of ours', () => {
  /** A 200 with these Contacts to a REGISTER that asked for 300 s. */
  const granted = async (
    contacts: readonly string[],
    ownContact: string | undefined = '<sip:gw@192.0.2.1:5060>',
    expires?: string,
  ): Promise<number | undefined> => {
    const answer: OutOfDialogResponse = {
      status: 200,
      reason: 'OK',
      headers: {
        get: (name) => (name === 'Expires' ? expires : undefined),
        getAll: (name) => (name === 'Contact' ? contacts : []),
      },
      contentType: undefined,
      body: '',
      ownContact,
    };
    const stack = { request: () => Promise.resolve(answer) };
    const registration = new TrunkRegistration(stack, account, new FakeClock());
    return (await registration.register('sip:192.0.2.9', 300, 1_000)).expiresSeconds;
  };
  const phone = '<sip:gw@192.0.2.77:5062>;expires=3400';

  it('is that of the Contact that we sent, not of a phone with the same account', async () => {
    assert.equal(await granted([phone, '<sip:gw@192.0.2.1:5060>;expires=300']), 300);
    assert.equal(await granted(['<sip:gw@192.0.2.1>;expires=120', '<sip:gw@192.0.2.77>;expires=5']), 120);
    assert.equal(
      await granted([`${phone}, <sip:gw@[2001:DB8::1]:5060>;expires=60`], '<sip:gw@[2001:db8::1]>'),
      60,
    );
  });

  it('may be longer than what we asked for when our Contact says so', async () => {
    assert.equal(await granted(['<sip:gw@192.0.2.1>;expires=600', phone]), 600);
  });

  it('is that of Expires when our Contact says nothing', async () => {
    assert.equal(await granted([phone, '<sip:gw@192.0.2.1>'], undefined, '90'), 90);
    assert.equal(await granted([], undefined, '90'), 90);
    assert.equal(await granted(['<sip:bob@192.0.2.1>;expires=7'], undefined, '90'), 90);
    assert.equal(await granted([]), undefined);
  });

  it('is told apart by transport when the address is the same', async () => {
    const contacts = ['<sip:gw@192.0.2.1>;expires=20', '<sip:gw@192.0.2.1;transport=TCP>;expires=200'];
    assert.equal(await granted(contacts), 20);
    assert.equal(await granted(contacts, '<sip:gw@192.0.2.1;transport=tcp>'), 200);
  });

  describe('that has written our address anew, as it saw it behind a NAT', () => {
    const nat = (port: number, seconds: number): string => `<sip:gw@198.51.100.7:${port}>;expires=${seconds}`;

    it('is what we asked for when a Contact has just that', async () => {
      assert.equal(await granted([phone, nat(40_000, 300), nat(40_001, 12)]), 300);
    });

    it('is the least when it may be any', async () => {
      assert.equal(await granted([phone, nat(40_000, 60)]), 60);
      assert.equal(await granted([nat(40_000, 240), nat(40_001, 60), nat(40_002, 0)]), 60);
      assert.equal(await granted([phone, nat(40_000, 900)]), 900);
    });

    it('is the same when the engine does not say which Contact it sent', async () => {
      assert.equal(await granted([phone, nat(40_000, 60)], ''), 60);
    });
  });
});
