import assert from 'node:assert/strict';
import type { SipFailure } from '../../../sip/failure.js';
import {
  plainCallerId,
  presentCaller,
  wantsPrivacy,
  type CallerIdRule,
  type CallerIdTrunk,
  type PresentableCaller,
} from '../../../gateway/routing/caller-id.js';
import { plainNumbers } from '../../../gateway/routing/number-rule.js';

const alice: PresentableCaller = {
  user: 'alice',
  displayName: 'Alice',
  callerId: '+15551230001',
  callerIds: ['+15551230009'],
};

const trunk = (rule: Partial<CallerIdRule> = {}, change: Partial<CallerIdTrunk> = {}): CallerIdTrunk => ({
  rule: { ...plainCallerId, ...rule },
  numbers: plainNumbers,
  fromUser: undefined,
  domain: 'pbx.example.net',
  emergency: false,
  ...change,
});

const own = '"Alice" <sip:+15551230001@pbx.example.net>';
const other = '"Alice" <sip:+15551239999@pbx.example.net>';

/** From and header fields as text. */
function shown(caller: Partial<PresentableCaller>, to: CallerIdTrunk): string[] {
  const { from, headers } = presentCaller({ ...alice, ...caller }, to);
  return [`${from.displayName ?? ''} ${from.uri}`, ...headers.map((header) => header.join(': '))];
}

const refused = (thrown: SipFailure): boolean => thrown.code === 'caller_id.refused' && thrown.status === 403;

describe('the identity that a trunk is shown', () => {
  it('is in From alone unless it is asked for elsewhere', () => {
    assert.deepEqual(shown({}, trunk()), ['Alice sip:+15551230001@pbx.example.net']);
    assert.deepEqual(shown({ callerId: undefined }, trunk()), ['Alice sip:alice@pbx.example.net']);
  });

  it('is asserted, and in the field of old PBXs, by rule', () => {
    assert.deepEqual(shown({}, trunk({ send: ['from', 'pai', 'rpid'] })), [
      'Alice sip:+15551230001@pbx.example.net',
      `P-Asserted-Identity: ${own}`,
      `Remote-Party-ID: ${own};party=calling;screen=yes;privacy=off`,
    ]);
  });

  it('stands beside the account of the trunk in From', () => {
    assert.deepEqual(shown({}, trunk({ send: ['pai'] }, { fromUser: 'account7' })), [
      'Alice sip:account7@pbx.example.net',
      `P-Asserted-Identity: ${own}`,
    ]);
  });

  it('is written as the trunk writes numbers', () => {
    const numbers = { ...plainNumbers, out: 'national', country: 'US' } as const;
    assert.deepEqual(shown({}, trunk({}, { numbers })), ['Alice sip:5551230001@pbx.example.net']);
  });

  it('is another of the numbers of the user when the phone asks for that', () => {
    assert.deepEqual(shown({ claimed: '+15551230009' }, trunk({ send: ['pai'] })), [
      'Alice sip:+15551230009@pbx.example.net',
      'P-Asserted-Identity: "Alice" <sip:+15551230009@pbx.example.net>',
    ]);
    const numbers = { ...plainNumbers, out: 'e164', country: 'US' } as const;
    assert.deepEqual(shown({ claimed: '5551230009' }, trunk({}, { numbers })), [
      'Alice sip:+15551230009@pbx.example.net',
    ]);
  });

  it('is the number of the user when the phone asks for itself', () => {
    assert.deepEqual(shown({ claimed: 'alice' }, trunk({ onMismatch: 'reject' })), [
      'Alice sip:+15551230001@pbx.example.net',
    ]);
  });

  describe('when the phone asks for what the user may not show', () => {
    const claim = { claimed: '+15551239999' };

    it('is replaced', () => {
      assert.deepEqual(shown(claim, trunk({ send: ['pai'] })), [
        'Alice sip:+15551230001@pbx.example.net',
        `P-Asserted-Identity: ${own}`,
      ]);
    });

    it('is refused, but not in an emergency', () => {
      assert.throws(() => shown(claim, trunk({ onMismatch: 'reject' })), refused);
      assert.deepEqual(shown(claim, trunk({ onMismatch: 'reject' }, { emergency: true })), [
        'Alice sip:+15551230001@pbx.example.net',
      ]);
    });

    it('is sent, but never asserted', () => {
      assert.deepEqual(shown(claim, trunk({ send: ['pai', 'rpid'], onMismatch: 'send' })), [
        'Alice sip:+15551239999@pbx.example.net',
        `P-Asserted-Identity: ${own}`,
        `Remote-Party-ID: ${other};party=calling;screen=no;privacy=off`,
      ]);
    });
  });

  describe('of a caller who wants to hide', () => {
    const hidden = { privacy: ['id'] };

    it('is not in From; what is asserted is marked as private', () => {
      assert.deepEqual(shown(hidden, trunk({ send: ['pai', 'rpid'] })), [
        'Anonymous sip:anonymous@anonymous.invalid',
        `P-Asserted-Identity: ${own}`,
        `Remote-Party-ID: ${own};party=calling;screen=yes;privacy=full`,
        'Privacy: id',
      ]);
    });

    it('is nowhere when nothing is asserted', () => {
      const lines = shown(hidden, trunk({}, { fromUser: 'account7' }));
      assert.deepEqual(lines, ['Anonymous sip:anonymous@anonymous.invalid', 'Privacy: id']);
    });

    it('keeps what else was asked for, but nothing unknown', () => {
      const lines = shown({ privacy: ['user', 'critical', 'x-odd'] }, trunk());
      assert.equal(lines.at(-1), 'Privacy: id;user;critical');
    });

    it('is shown to a trunk that ignores it, and in an emergency', () => {
      const plain = ['Alice sip:+15551230001@pbx.example.net'];
      assert.deepEqual(shown(hidden, trunk({ privacy: 'ignore' })), plain);
      assert.deepEqual(shown(hidden, trunk({}, { emergency: true })), plain);
    });

    it('is a caller who says id, user or header, and not none', () => {
      assert.equal(wantsPrivacy({ privacy: ['session'] }), false);
      assert.equal(wantsPrivacy({ privacy: ['none', 'id'] }), false);
      assert.equal(wantsPrivacy({ privacy: ['header'] }), true);
      assert.equal(wantsPrivacy({}), false);
    });
  });
});
