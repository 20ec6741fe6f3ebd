import assert from 'node:assert/strict';
import { hopOfChallenger } from '../../../sip/trunk/repeated-request.js';
import type { SrfResponse } from '../../../sip/trunk/srf-types.js';

const from = (protocol: string, address: string, port: number): SrfResponse =>
  ({ protocol, source_address: address, source_port: port }) as SrfResponse;

describe('the hop of a request that was challenged', () => {
  for (const [nextHop, challenger, expected] of [
    ['sip:pbx.example', from('udp', '192.0.2.7', 5060), 'sip:192.0.2.7:5060;transport=udp'],
    ['sip:pbx.example;transport=tcp', from('TCP', '192.0.2.7', 5070), 'sip:192.0.2.7:5070;transport=tcp'],
    ['sip:pbx.example', from('udp', '2001:db8::7', 5060), 'sip:[2001:db8::7]:5060;transport=udp'],
  ] as const) {
    it(`is the host that has challenged, of all behind ${nextHop}`, () => {
      assert.equal(hopOfChallenger(nextHop, challenger), expected);
    });
  }

  for (const [what, nextHop, challenger] of [
    ['an address', 'sip:192.0.2.1:5080;transport=udp', from('udp', '192.0.2.7', 5060)],
    ['an IPv6 address', 'sip:[2001:db8::1];transport=udp', from('udp', '192.0.2.7', 5060)],
    [
      'a name that a certificate has to prove',
      'sip:pbx.example;transport=tls',
      from('tls', '192.0.2.7', 5061),
    ],
    ['a name that leads to TLS by DNS', 'sip:pbx.example', from('tls', '192.0.2.7', 5061)],
    ['sips', 'sips:pbx.example', from('tls', '192.0.2.7', 5061)],
    ['a name whose answer does not say where it is from', 'sip:pbx.example', from('udp', '', 0)],
  ] as const) {
    it(`stays as it was with ${what}`, () => {
      assert.equal(hopOfChallenger(nextHop, challenger), nextHop);
    });
  }
});
