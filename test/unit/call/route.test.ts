import assert from 'node:assert/strict';
import type { CallSource } from '../../../gateway/call/ports.js';
import {
  inOrder,
  matchRoute,
  type RouteQuestion,
  type RouteRule,
  type RouteStep,
} from '../../../gateway/call/route.js';
import { compilePattern, type Pattern } from '../../../gateway/config/pattern.js';

const alice: CallSource = { side: 'browser', aor: 'sip:alice@example.com', endpointId: 'e_1' };
const from = (trunk: string): CallSource => ({
  side: 'trunk',
  trunk,
  remote: '127.0.0.1:5060',
  media: { profile: 'plain' },
});

function pattern(source: string): Pattern {
  return compilePattern(source) ?? assert.fail(`${source} cannot be compiled`);
}

const rule = (name: string, match: string, change: Partial<RouteRule> = {}): RouteRule => ({
  name,
  match: pattern(match),
  fromTrunk: undefined,
  to: { kind: 'trunks', trunks: ['office'] },
  ...change,
});

/** Monday 2026-11-23 12:00 in Berlin. */
const mondayNoon = Date.parse('2026-11-23T11:00:00Z');

function asks(user: string, change: Partial<RouteQuestion> = {}): RouteQuestion {
  return {
    dialled: { user, escapedUser: user, host: 'example.com' },
    source: alice,
    caller: 'alice',
    domain: 'example.com',
    atMs: mondayNoon,
    ...change,
  };
}

const taken = (rules: readonly RouteRule[], question: RouteQuestion): string | undefined =>
  matchRoute(inOrder(rules), question)?.rule.name;

describe('routes', () => {
  it('are tried in order', () => {
    const rules = [rule('first', '^1'), rule('second', '^12')];
    assert.equal(taken(rules, asks('12')), 'first');
    assert.equal(taken(rules, asks('2')), undefined);
  });

  it('for emergencies come before all others wherever they stand', () => {
    const rules = [rule('all', '^[0-9]+$'), rule('emergency', '^11[02]$', { emergency: true })];
    assert.equal(taken(rules, asks('112')), 'emergency');
    assert.equal(taken(rules, asks('1123')), 'all');
  });

  it('of one trunk take the calls of no other', () => {
    const rules = [rule('did', '^1$', { fromTrunk: 'office' })];
    assert.equal(taken(rules, asks('1', { source: from('office') })), 'did');
    assert.equal(taken(rules, asks('1', { source: from('backup') })), undefined);
    assert.equal(taken(rules, asks('1')), undefined);
  });

  it('never let a trunk out through a trunk that they do not name, but may refuse it', () => {
    const question = asks('1', { source: from('office') });
    assert.equal(taken([rule('out', '^1$')], question), undefined);
    assert.equal(taken([rule('no', '^1$', { to: { kind: 'reject', status: 410 } })], question), 'no');
  });

  it('may be for one domain or for some callers', () => {
    const rules = [
      rule('other', '^1$', { domain: 'example.org' }),
      rule('boss', '^1$', { caller: pattern('^bob$') }),
      rule('rest', '^1$'),
    ];
    assert.equal(taken(rules, asks('1', { domain: 'example.org' })), 'other');
    assert.equal(taken(rules, asks('1', { caller: 'bob' })), 'boss');
    assert.equal(taken(rules, asks('1')), 'rest');
  });

  it('may hold at some times only', () => {
    const hours = [{ from: 8 * 60, to: 18 * 60 }];
    const when = { timezone: 'Europe/Berlin', days: [1, 2, 3, 4, 5], dates: undefined, hours };
    const rules = [rule('open', '^1$', { when }), rule('closed', '^1$')];
    assert.equal(taken(rules, asks('1')), 'open');
    assert.equal(taken(rules, asks('1', { atMs: Date.parse('2026-11-23T17:30:00Z') })), 'closed');
    assert.equal(taken(rules, asks('1', { atMs: Date.parse('2026-11-22T11:00:00Z') })), 'closed');
  });

  it('rewrite the number by the groups of the expression', () => {
    const rules = [rule('out', '^9([0-9]{2})([0-9]+)?$', { rewrite: '+1$1-$2' })];
    assert.equal(matchRoute(rules, asks('955123'))?.number, '+155-123');
    assert.equal(matchRoute(rules, asks('955'))?.number, '+155-');
    assert.equal(matchRoute([rule('as is', '^9')], asks('9'))?.number, '9');
  });

  it('tell why each of them does not take a call', () => {
    const rules = [
      rule('did', '^1$', { fromTrunk: 'office' }),
      rule('short', '^2$'),
      rule('other', '^1$', { domain: 'example.org' }),
      rule('boss', '^1$', { caller: pattern('^bob$') }),
      rule('late', '^1$', {
        when: { timezone: 'UTC', days: [0], dates: undefined, hours: undefined },
      }),
      rule('pstn', '^1$'),
      rule('unseen', '^1$'),
    ];
    const steps: RouteStep[] = [];
    matchRoute(rules, asks('1'), (step) => steps.push(step));
    assert.deepEqual(
      steps.map(({ rule: { name }, mismatch }) => [name, mismatch]),
      [
        ['did', 'from_trunk'],
        ['short', 'match'],
        ['other', 'domain'],
        ['boss', 'caller'],
        ['late', 'when'],
        ['pstn', undefined],
      ],
    );
    const inbound: RouteStep[] = [];
    matchRoute(rules, asks('1', { source: from('backup') }), (step) => inbound.push(step));
    assert.equal(inbound.at(-1)?.mismatch, 'direction');
  });

  it('take nothing that is too long to be a number', () => {
    assert.equal(taken([rule('all', '^.*$')], asks('1'.repeat(129))), undefined);
  });

  it('take time in proportion to what is dialled, whatever the expression', () => {
    const hostile = rule('hostile', '^([0-9]+)+x$');
    const startedMs = performance.now();
    assert.equal(taken([hostile], asks('1'.repeat(128))), undefined);
    assert.ok(performance.now() - startedMs < 1_000);
  });
});

describe('an expression of a route', () => {
  it('gives its groups as a RegExp does', () => {
    assert.deepEqual(pattern('^(a)(b)?(c)$').exec('ac'), ['ac', 'a', undefined, 'c']);
    assert.equal(pattern('^b').exec('ab'), null);
  });

  it('is refused when it cannot be had in linear time, or cannot be read', () => {
    for (const source of ['(?=a)b', '(a)\\1', '(?<!a)b', '^(a', 'a'.repeat(1_001)]) {
      assert.equal(compilePattern(source), undefined, source);
    }
  });
});
