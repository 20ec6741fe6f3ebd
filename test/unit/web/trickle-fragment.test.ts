import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { candidatesIn, lateCandidates, takesTrickle } from '#web/phone/call/trickle-fragment.js';
import { SipFailure } from '../../../sip/failure.js';
import { parseTrickle } from '../../../sip/sdp/trickle.js';

const host = 'a=candidate:1 1 udp 2122260223 192.0.2.7 5000 typ host generation 0';
const mapped =
  'a=candidate:2 1 udp 1686052607 203.0.113.9 5001 typ srflx raddr 192.0.2.7 rport 5000 generation 0';

const described = (...candidates: readonly string[]): string =>
  [
    'v=0',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111',
    ...candidates,
    'a=ice-ufrag:8hhY',
    'a=ice-pwd:asd88fgpdd777uzjYhagZg',
    'a=mid:0',
    '',
  ].join('\r\n');

describe('candidates that a description has not waited for', () => {
  it('are those that the other side has not been told', () => {
    const fragment = lateCandidates(described(host, mapped), described(host), false) ?? '';
    assert.ok(fragment.includes(mapped));
    assert.ok(!fragment.includes(host));
  });

  it('are none when all have been told', () => {
    assert.equal(lateCandidates(described(host), described(host), false), undefined);
    const first = lateCandidates(described(host), described(), false) ?? '';
    assert.equal(lateCandidates(described(host), described() + first, false), undefined);
  });

  it('end once', () => {
    const end = lateCandidates(described(host), described(host), true) ?? '';
    assert.match(end, /^a=end-of-candidates$/m);
    assert.equal(lateCandidates(described(host), described(host) + end, true), undefined);
  });

  it('are written as the gateway reads them', () => {
    const read = parseTrickle(lateCandidates(described(host, mapped), described(), true) ?? '');
    assert.ok(!(read instanceof SipFailure));
    assert.deepEqual(read.ice, { ufrag: '8hhY', pwd: 'asd88fgpdd777uzjYhagZg' });
    assert.equal(read.endOfCandidates, true);
    assert.deepEqual(
      read.lines.map(({ mid, candidates }) => [mid, candidates.map(({ port }) => port)]),
      [['0', [5000, 5001]]],
    );
  });

  it('are not told without an ICE generation', () => {
    assert.equal(lateCandidates(host, '', true), undefined);
  });
});

describe('candidates of the other side', () => {
  const [usernameFragment, sdpMid] = ['8hhY', '0'];

  it('have the line and the generation that they belong to, and an end', () => {
    const fragment = lateCandidates(described(host), '', true) ?? '';
    assert.deepEqual(candidatesIn(fragment), [
      { candidate: host.slice('a='.length), sdpMid, usernameFragment },
      { candidate: '', sdpMid, usernameFragment },
    ]);
  });

  it('without a generation or a line are none', () => {
    assert.deepEqual(candidatesIn(`m=audio 9 RTP/AVP 0\r\na=mid:0\r\n${host}\r\n`), []);
    assert.deepEqual(candidatesIn(`a=ice-ufrag:8hhY\r\n${host}\r\n`), []);
    assert.deepEqual(candidatesIn('nonsense'), []);
  });
});

describe('whether the other side takes candidates', () => {
  it('is in its Recv-Info', () => {
    assert.ok(takesTrickle('trickle-ice'));
    assert.ok(takesTrickle('conference, Trickle-ICE'));
    assert.ok(!takesTrickle('conference'));
    assert.ok(!takesTrickle(undefined));
  });
});
