import assert from 'node:assert/strict';
import type { HeaderView } from '../../../sip/leg.js';
import { offeredHeaders, plainHeaders, type HeaderRule } from '../../../gateway/routing/header-rule.js';

const values: Record<string, readonly string[]> = {
  diversion: ['<sip:+1555@pbx>;reason=user-busy'],
  'history-info': ['<sip:a@b>;index=1', '<sip:c@b>;index=1.1'],
  'x-account': ['7'],
  'x-customer': ['42'],
};
const received: HeaderView = {
  get: (name) => values[name.toLowerCase()]?.[0],
  getAll: (name) => values[name.toLowerCase()] ?? [],
};
const rule = (change: Partial<HeaderRule>): HeaderRule => ({ ...plainHeaders, ...change });

const history = [
  ['Diversion', '<sip:+1555@pbx>;reason=user-busy'],
  ['History-Info', '<sip:a@b>;index=1'],
  ['History-Info', '<sip:c@b>;index=1.1'],
];

describe('header fields by rule', () => {
  it('of a browser reach a trunk only when it asks for them, and no diversion ever does', () => {
    const offered = offeredHeaders(received, 'browser');
    assert.deepEqual(offered.forTrunk(plainHeaders), []);
    assert.deepEqual(offered.forTrunk(rule({ out: ['X-Account'] })), [['X-Account', '7']]);
    assert.deepEqual(offered.forBrowser(), []);
  });

  it('of a trunk reach a browser when they are taken, with the diversions', () => {
    assert.deepEqual(offeredHeaders(received, 'trunk', plainHeaders).forBrowser(), history);
    const taken = offeredHeaders(received, 'trunk', rule({ in: ['X-Customer'], diversion: 'drop' }));
    assert.deepEqual(taken.forBrowser(), [['X-Customer', '42']]);
  });

  it('of a trunk reach another one when the one gives and the other takes them', () => {
    const from = offeredHeaders(received, 'trunk', rule({ in: ['x-customer'] }));
    assert.deepEqual(from.forTrunk(plainHeaders), history);
    const both = rule({ out: ['X-Customer', 'X-Account'], diversion: 'drop' });
    assert.deepEqual(from.forTrunk(both), [['X-Customer', '42']]);
  });
});
