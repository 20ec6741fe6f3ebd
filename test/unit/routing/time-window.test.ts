import assert from 'node:assert/strict';
import { clockText, isWithin, type TimeWindow } from '../../../gateway/routing/time-window.js';

const window = (change: Partial<TimeWindow>): TimeWindow => ({
  timezone: 'Europe/Berlin',
  days: undefined,
  dates: undefined,
  hours: undefined,
  ...change,
});

const at = (window: TimeWindow, iso: string): boolean => isWithin(window, Date.parse(iso));

describe('a time window', () => {
  it('holds from its first minute to the one before its last', () => {
    const office = window({ hours: [{ from: 480, to: 1_080 }] });
    assert.equal(at(office, '2026-11-23T06:59:59Z'), false);
    assert.equal(at(office, '2026-11-23T07:00:00Z'), true);
    assert.equal(at(office, '2026-11-23T16:59:59Z'), true);
    assert.equal(at(office, '2026-11-23T17:00:00Z'), false);
  });

  it('follows the clock of its zone through summer time', () => {
    const eight = window({ hours: [{ from: 480, to: 481 }] });
    assert.equal(at(eight, '2026-03-28T07:00:00Z'), true);
    assert.equal(at(eight, '2026-03-29T06:00:00Z'), true);
    assert.equal(at(eight, '2026-03-29T07:00:00Z'), false);
  });

  it('belongs to the day on which it began when it goes on past midnight', () => {
    const night = window({ days: [5], hours: [{ from: 22 * 60, to: 6 * 60 }] });
    assert.equal(at(night, '2026-11-20T22:00:00Z'), true, 'Friday 23:00');
    assert.equal(at(night, '2026-11-21T02:00:00Z'), true, 'Saturday 03:00');
    assert.equal(at(night, '2026-11-21T05:00:00Z'), false, 'Saturday 06:00');
    assert.equal(at(night, '2026-11-20T02:00:00Z'), false, 'Friday 03:00');
    assert.equal(at(night, '2026-11-21T22:00:00Z'), false, 'Saturday 23:00');
  });

  it('knows the dates of every year and of one', () => {
    const holidays = window({ dates: ['12-25', '2026-04-03'] });
    assert.equal(at(holidays, '2031-12-25T12:00:00Z'), true);
    assert.equal(at(holidays, '2026-04-03T12:00:00Z'), true);
    assert.equal(at(holidays, '2027-04-03T12:00:00Z'), false);
    assert.equal(at(holidays, '2026-12-24T23:30:00Z'), true, 'already the 25th in Berlin');
  });

  it('is shown as its clock shows it', () => {
    assert.equal(clockText('Europe/Berlin', Date.parse('2026-12-24T19:05:00Z')), '2026-12-24 20:05');
    assert.equal(clockText('America/New_York', Date.parse('2026-12-25T04:05:00Z')), '2026-12-24 23:05');
  });
});
