import assert from 'node:assert/strict';
import { isPrivateHost, withoutPrivateCandidates } from '../../../sip/sdp/private-candidates.js';
import { fixture, fixtureNames } from '../../support/sdp-fixtures.js';

describe('the filter of private candidates', () => {
  const hosts: readonly (readonly [host: string, isPrivate: boolean])[] = [
    ['10.1.2.3', true],
    ['172.16.0.1', true],
    ['172.32.0.1', false],
    ['192.168.255.255', true],
    ['100.64.0.1', true],
    ['169.254.1.1', true],
    ['127.0.0.1', true],
    ['203.0.113.5', false],
    ['fd00::2', true],
    ['fe80::1%eth0', true],
    ['::1', true],
    ['2001:db8::1', false],
    ['::ffff:10.0.0.1', true],
    ['4f5a.local', false],
    ['0.0.0.0', false],
    ['', false],
  ];
  for (const [host, isPrivate] of hosts) {
    it(`${isPrivate ? 'knows' : 'passes'} ${host || 'an empty host'}`, () =>
      assert.equal(isPrivateHost(host), isPrivate));
  }

  const candidate = (rest: string): string => `a=candidate:1 1 udp 1 ${rest}`;
  const description = (...lines: readonly string[]): string =>
    [
      'v=0',
      'o=- 1 1 IN IP4 127.0.0.1',
      's=-',
      't=0 0',
      'm=audio 5000 UDP/TLS/RTP/SAVPF 0',
      ...lines,
      '',
    ].join('\r\n');

  it('drops candidates of private addresses and keeps all others', () => {
    const kept = [
      candidate('203.0.113.9 5001 typ srflx raddr 0.0.0.0 rport 9'),
      candidate('8a7b.local 5002 typ host'),
      candidate('2001:db8::9 5003 typ host'),
    ];
    const dropped = [candidate('192.168.0.2 5000 typ host'), candidate('fd00::2 5000 typ host')];
    assert.equal(withoutPrivateCandidates(description(...dropped, ...kept)), description(...kept));
  });

  it('does not tell the private address behind a public one', () => {
    const given = description(candidate('203.0.113.9 5001 typ srflx raddr 192.168.0.2 rport 5000'));
    const told = description(candidate('203.0.113.9 5001 typ srflx raddr 0.0.0.0 rport 9'));
    assert.equal(withoutPrivateCandidates(given), told);
  });

  it('writes no private address or its port into m=, c= and a=rtcp', () => {
    const given = description('c=IN IP4 192.168.0.2', 'a=rtcp:5001 IN IP4 192.168.0.2');
    const told = description('c=IN IP4 0.0.0.0', 'a=rtcp:5001 IN IP4 0.0.0.0').replace(
      'audio 5000',
      'audio 9',
    );
    assert.equal(withoutPrivateCandidates(given), told);
  });

  it('leaves a line with port 0 off', () => {
    const given = description('c=IN IP4 192.168.0.2').replace('audio 5000', 'audio 0');
    assert.match(withoutPrivateCandidates(given), /^m=audio 0 /m);
  });

  it('leaves no private address in any description, and does no more the second time', () => {
    for (const name of fixtureNames()) {
      const filtered = withoutPrivateCandidates(fixture(name));
      assert.equal(withoutPrivateCandidates(filtered), filtered, name);
      const lines = filtered.split('\r\n').filter((line) => /^(?:c=|a=candidate:|a=rtcp:)/.test(line));
      for (const line of lines) assert.ok(!line.split(' ').some(isPrivateHost), line);
      assert.equal(filtered.match(/^m=/gm)?.length, fixture(name).match(/^m=/gm)?.length);
    }
  });

  it('changes nothing else of what Chromium writes', () => {
    const offer = fixture('audio-offer');
    const expected = offer.replaceAll(/a=candidate:.*fd00::2.*\r\n/g, '');
    assert.equal(withoutPrivateCandidates(offer), expected);
    assert.equal(withoutPrivateCandidates(expected), expected);
  });
});
