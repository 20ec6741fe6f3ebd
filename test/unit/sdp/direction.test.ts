import assert from 'node:assert/strict';
import type { Direction, MediaSection } from '../../../sip/sdp/description.js';
import { answerTo, effectiveDirection } from '../../../sip/sdp/direction.js';
import { isHold } from '../../../sip/sdp/hold.js';
import { hostCandidate, usableCandidates } from '../../../sip/sdp/candidates.js';
import { fixture, pbxSdp } from '../../support/sdp-fixtures.js';
import { parseSession } from '../../../sip/sdp/session.js';

function audio(text: string): MediaSection {
  const session = parseSession(text);
  const section = session instanceof Error ? undefined : session.media[0];
  assert.ok(section !== undefined);
  return section;
}

describe('direction', () => {
  const answers: readonly (readonly [offer: Direction, answer: Direction, agreed: Direction])[] = [
    ['sendrecv', 'sendrecv', 'sendrecv'],
    ['sendrecv', 'sendonly', 'sendonly'],
    ['sendrecv', 'inactive', 'inactive'],
    ['sendonly', 'sendrecv', 'recvonly'],
    ['sendonly', 'recvonly', 'recvonly'],
    ['sendonly', 'sendonly', 'inactive'],
    ['recvonly', 'sendrecv', 'sendonly'],
    ['recvonly', 'recvonly', 'inactive'],
    ['inactive', 'sendrecv', 'inactive'],
  ];
  for (const [offer, answer, agreed] of answers) {
    it(`${offer} answered with ${answer} is ${agreed}`, () => assert.equal(answerTo(offer, answer), agreed));
  }

  const holds: readonly (readonly [address: string, line: string, meant: Direction])[] = [
    ['198.51.100.7', 'a=sendrecv', 'sendrecv'],
    ['198.51.100.7', 'a=sendonly', 'sendonly'],
    ['198.51.100.7', 'a=inactive', 'inactive'],
    ['0.0.0.0', 'a=sendrecv', 'sendonly'],
    ['0.0.0.0', 'a=recvonly', 'inactive'],
    ['::', 'a=sendrecv', 'sendonly'],
  ];
  for (const [address, line, meant] of holds) {
    it(`of a PBX with c= ${address} and ${line} is ${meant}`, () => {
      const sdp = pbxSdp('0', [line], address);
      assert.equal(effectiveDirection(audio(sdp), 'plain'), meant);
      assert.equal(isHold(sdp), meant !== 'sendrecv');
    });
  }

  it('of a browser is not changed by the 0.0.0.0 that it writes while it trickles', () => {
    assert.equal(effectiveDirection(audio(fixture('audio-offer.trickle')), 'webrtc'), 'sendrecv');
  });
});

describe('candidates', () => {
  it('are used when they are UDP address literals of our family', () => {
    const usable = usableCandidates(audio(fixture('audio-offer')).candidates, 4);
    assert.deepEqual(
      usable.map((candidate) => `${candidate.host}:${candidate.port}`),
      ['192.0.2.2:34696'],
    );
    assert.equal(usableCandidates(audio(fixture('audio-offer')).candidates, 6)[0]?.host, 'fd00::2');
  });

  it('are passed over when they are mDNS names, groups, nowhere, of another component or without a port', () => {
    assert.deepEqual(usableCandidates(audio(fixture('audio-offer-mdns')).candidates, 4), []);
    const good = hostCandidate({ family: 4, host: '192.0.2.1' }, 4_000);
    for (const fault of [
      { host: '224.0.0.1' },
      { host: '255.255.255.255' },
      { host: '0.0.0.0' },
      { component: 2 },
      { port: 0 },
      { transport: 'tcp' },
    ]) {
      assert.deepEqual(usableCandidates([{ ...good, ...fault }], 4), [], JSON.stringify(fault));
    }
    for (const host of ['ff02::1', '::', 'fe80::1%eth0']) {
      assert.deepEqual(usableCandidates([{ ...good, host }], 6), [], host);
    }
  });

  it('are 32 at most', () => {
    const one = hostCandidate({ family: 4, host: '192.0.2.1' }, 4_000);
    assert.equal(
      usableCandidates(
        Array.from({ length: 100 }, () => one),
        4,
      ).length,
      32,
    );
  });
});
