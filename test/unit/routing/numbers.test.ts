import assert from 'node:assert/strict';
import {
  callingAt,
  dialledAt,
  escapedUser,
  plainNumbers,
  receivedFrom,
  type NumberRule,
} from '../../../gateway/routing/number-rule.js';
import { isSameNumber, normalised, type NumberForm } from '../../../gateway/routing/phone-number.js';

const table: readonly [text: string, form: NumberForm, country: string | undefined, result: string][] = [
  ['5551234567', 'e164', 'US', '+15551234567'],
  ['15551234567', 'e164', 'US', '+15551234567'],
  ['(555) 123-4567', 'e164', 'US', '+15551234567'],
  ['+1.555.123.4567', 'e164', 'US', '+15551234567'],
  ['011493012345678', 'e164', 'US', '+493012345678'],
  ['03012345678', 'e164', 'DE', '+493012345678'],
  ['004312345678', 'e164', 'DE', '+4312345678'],
  ['0612345678', 'e164', 'IT', '+390612345678'],
  ['+15551234567', 'e164', undefined, '+15551234567'],
  ['03012345678', 'e164', undefined, '03012345678'],
  ['+15551234567', 'national', 'US', '5551234567'],
  ['+493012345678', 'national', 'DE', '03012345678'],
  ['+493012345678', 'national', 'US', '011493012345678'],
  ['+15551234567', 'national', 'DE', '0015551234567'],
  ['5551234567', 'as_dialled', 'US', '5551234567'],
  ['(555) 123-4567', 'as_dialled', 'US', '(555) 123-4567'],
];

const unchanged: readonly [text: string, country: string, why: string][] = [
  ['911', 'US', 'an emergency number'],
  ['112', 'DE', 'an emergency number'],
  ['600', 'US', 'an extension'],
  ['1234', 'DE', 'an extension where subscriber numbers are as short'],
  ['12345', 'AT', 'an extension where subscriber numbers are as short'],
  ['alice', 'US', 'a name'],
  ['*97', 'US', 'a service code'],
  ['anonymous', 'DE', 'nobody'],
  ['+999999', 'US', 'a number of no country'],
  ['', 'US', 'nothing'],
  ['1'.repeat(64), 'US', 'too long'],
];

describe('a telephone number', () => {
  for (const [text, form, country, result] of table) {
    it(`${text} becomes ${result} as ${form} of ${country ?? 'no country'}`, () => {
      assert.equal(normalised(text, form, country), result);
    });
  }

  for (const [text, country, why] of unchanged) {
    it(`${text.slice(0, 12)} of ${country} stays: it is ${why}`, () => {
      assert.equal(normalised(text, 'e164', country), text);
      assert.equal(normalised(text, 'national', country), text);
    });
  }

  it('is the same however it is written', () => {
    assert.equal(isSameNumber('+15551234567', '(555) 123-4567', 'US'), true);
    assert.equal(isSameNumber('+15551234567', '5551234567', undefined), false);
    assert.equal(isSameNumber('alice', 'alice', undefined), true);
  });
});

describe('the number rule of a trunk', () => {
  const rule = (change: Partial<NumberRule>): NumberRule => ({ ...plainNumbers, ...change });

  it('leaves numbers alone when it says nothing', () => {
    assert.equal(dialledAt(plainNumbers, '9 555', false), '9 555');
    assert.equal(callingAt(plainNumbers, '5551234567'), '5551234567');
    assert.equal(receivedFrom(plainNumbers, '5551234567'), '5551234567');
  });

  it('strips first, writes in its form, and puts the prefix in front', () => {
    const carrier = rule({ out: 'e164', country: 'US', strip: 1, prefix: '00' });
    assert.equal(dialledAt(carrier, '95551234567', false), '00+15551234567');
    assert.equal(dialledAt(rule({ strip: 1, prefix: '*' }), '9600', false), '*600');
  });

  it('never changes an emergency number', () => {
    const carrier = rule({ out: 'e164', country: 'US', strip: 1, prefix: '00' });
    assert.equal(dialledAt(carrier, '911', true), '911');
  });

  it('neither strips from the calling number nor puts anything in front', () => {
    const carrier = rule({ out: 'national', country: 'DE', strip: 1, prefix: '0' });
    assert.equal(callingAt(carrier, '+493012345678'), '03012345678');
  });

  it('reads what the trunk sends', () => {
    assert.equal(receivedFrom(rule({ in: 'e164', country: 'DE' }), '03012345678'), '+493012345678');
  });
});

describe('the user part of a URI', () => {
  it('has nothing in it that ends it', () => {
    assert.equal(escapedUser('+1*2#3@x;y'), '+1*2%233%40x%3By');
  });
});
