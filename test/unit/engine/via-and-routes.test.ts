import assert from 'node:assert/strict';
import { Headers, parseVia } from '../../../sip/message/index.js';
import { Dialog } from '../../../sip/engine/dialog/dialog.js';
import { pathTo, routeSetOf } from '../../../sip/engine/dialog/route-set.js';
import { parseSessionExpires } from '../../../sip/engine/dialog/session-expires.js';
import type { Channel } from '../../../sip/engine/transport/channel.js';
import { addressTowards, isPrivateIPv4, sipHost } from '../../../sip/engine/transport/local-address.js';
import { stampVia } from '../../../sip/engine/wire/via-stamp.js';

const source = { address: '198.51.100.7', port: 40_000 };

const stamped = (value: string): string => {
  const via = parseVia(value.split(',', 1)[0] ?? '');
  if (via === undefined) throw new Error('no Via');
  return stampVia(value, via, source);
};

describe('stamping Via', () => {
  const rows: [name: string, given: string, expected: string][] = [
    [
      'adds rport even when it was not asked for',
      'SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK1',
      'SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK1;rport=40000',
    ],
    [
      'fills rport in where it stands',
      'SIP/2.0/UDP 198.51.100.7;rport;branch=z9hG4bK1',
      'SIP/2.0/UDP 198.51.100.7;rport=40000;branch=z9hG4bK1',
    ],
    [
      'adds received when the host is another',
      'SIP/2.0/UDP 10.0.0.1:5060;branch=b',
      'SIP/2.0/UDP 10.0.0.1:5060;branch=b;rport=40000;received=198.51.100.7',
    ],
    [
      'adds received to a name',
      'SIP/2.0/TCP host.example',
      'SIP/2.0/TCP host.example;rport=40000;received=198.51.100.7',
    ],
    [
      'replaces what the sender put there',
      'SIP/2.0/UDP h;received=1.2.3.4;rport=9;branch=b',
      'SIP/2.0/UDP h;rport=40000;branch=b;received=198.51.100.7',
    ],
    [
      'keeps the other values',
      'SIP/2.0/UDP h;branch=b , SIP/2.0/UDP i;rport;branch=c',
      'SIP/2.0/UDP h;branch=b;rport=40000;received=198.51.100.7, SIP/2.0/UDP i;rport;branch=c',
    ],
    [
      'respects quotes',
      'SIP/2.0/UDP h;x="a;rport=1,\\"b";branch=b',
      'SIP/2.0/UDP h;x="a;rport=1,\\"b";branch=b;rport=40000;received=198.51.100.7',
    ],
  ];
  for (const [name, given, expected] of rows) {
    it(name, () => {
      const via = parseVia(given.startsWith('SIP/2.0/UDP h;x=') ? given : (given.split(',', 1)[0] ?? ''));
      if (via === undefined) throw new Error('no Via');
      assert.equal(stampVia(given, via, source), expected);
    });
  }

  it('knows its own IPv6 source in brackets', () => {
    const via = parseVia('SIP/2.0/UDP [2001:db8::1]:5060;branch=b');
    if (via === undefined) throw new Error('no Via');
    const value = stampVia('SIP/2.0/UDP [2001:db8::1]:5060;branch=b', via, {
      address: '2001:db8::1',
      port: 5060,
    });
    assert.equal(value, 'SIP/2.0/UDP [2001:db8::1]:5060;branch=b;rport=5060');
  });

  it('takes time linear in the length', () => {
    const long = `SIP/2.0/UDP h;branch=b${';a=b'.repeat(1500)}`;
    assert.equal(stamped(long).length, long.length + ';rport=40000;received=198.51.100.7'.length);
  });
});

describe('route sets', () => {
  const headers = Headers.from([
    ['Record-Route', '<sip:p1;lr>, <sip:p2;lr>'],
    ['Record-Route', '<sip:p3;lr;transport=tcp>'],
  ]);

  it('keep their order for a UAS and turn it round for a UAC', () => {
    assert.deepEqual(routeSetOf(headers, 'uas'), ['<sip:p1;lr>', '<sip:p2;lr>', '<sip:p3;lr;transport=tcp>']);
    assert.deepEqual(routeSetOf(headers, 'uac'), ['<sip:p3;lr;transport=tcp>', '<sip:p2;lr>', '<sip:p1;lr>']);
  });

  it('lead straight to the target when empty', () => {
    const path = pathTo('sip:bob@192.0.2.1:5070', []);
    assert.equal(path.requestUri, 'sip:bob@192.0.2.1:5070');
    assert.equal(path.routes, '');
    assert.equal(path.nextHop?.host, '192.0.2.1');
  });

  it('go to a loose router and keep the target', () => {
    const path = pathTo('sip:bob@h', ['<sip:p1;lr>', '<sip:p2>']);
    assert.equal(path.requestUri, 'sip:bob@h');
    assert.equal(path.routes, 'Route: <sip:p1;lr>\r\nRoute: <sip:p2>\r\n');
    assert.equal(path.nextHop?.host, 'p1');
  });

  it('give a strict router its own URI and put the target last', () => {
    const path = pathTo('sip:bob@h', ['<sip:p1;transport=tcp?x=y>', '<sip:p2;lr>']);
    assert.equal(path.requestUri, 'sip:p1;transport=tcp');
    assert.equal(path.routes, 'Route: <sip:p2;lr>\r\nRoute: <sip:bob@h>\r\n');
    assert.equal(path.nextHop?.host, 'p1');
  });
});

describe('a dialog behind a NAT', () => {
  const dialog = (
    target: string,
    address: string,
    options: { reliable?: boolean; routeSet?: string[] } = {},
  ): Dialog => {
    const channel: Channel = {
      transport: options.reliable === true ? 'tcp' : 'udp',
      reliable: options.reliable === true,
      remote: { address, port: 5060 },
      local: source,
      sentBy: { host: 'h', port: 1 },
      isOpen: true,
      send: () => undefined,
    };
    return new Dialog({
      id: 'x',
      kind: 'INVITE',
      role: 'uas',
      callId: 'x',
      localTag: 'l',
      remoteTag: 'r',
      localParty: '',
      remoteParty: '',
      localSequence: 1,
      remoteSequence: 1,
      localContact: '',
      remoteTarget: target,
      routeSet: options.routeSet ?? [],
      channel,
      owner: undefined,
    });
  };
  const rows: [name: string, dialog: Dialog, expected: boolean][] = [
    ['has a private Contact and a public source', dialog('sip:a@192.168.1.2:5060', '198.51.100.7'), true],
    ['is not one whose Contact is its source', dialog('sip:a@198.51.100.7:5062', '198.51.100.7'), false],
    [
      'is not one whose Contact is another public address',
      dialog('sip:a@203.0.113.9', '198.51.100.7'),
      false,
    ],
    ['is not one in the same private network', dialog('sip:a@10.0.0.2', '10.0.0.1'), false],
    [
      'is not one with a route set',
      dialog('sip:a@10.0.0.2', '198.51.100.7', { routeSet: ['<sip:p;lr>'] }),
      false,
    ],
    ['is not one over TCP', dialog('sip:a@10.0.0.2', '198.51.100.7', { reliable: true }), false],
    ['is not one with a name', dialog('sip:a@phone.example', '198.51.100.7'), false],
  ];
  for (const [name, subject, expected] of rows) it(name, () => assert.equal(subject.isBehindNat, expected));
});

describe('addresses', () => {
  it('know private ranges', () => {
    const rows = {
      '10.1.2.3': true,
      '172.16.0.1': true,
      '172.31.255.1': true,
      '172.32.0.1': false,
      '192.168.0.1': true,
      '192.169.0.1': false,
      '100.64.0.1': true,
      '100.128.0.1': false,
      '169.254.1.1': true,
      '127.0.0.1': true,
      '8.8.8.8': false,
    };
    for (const [address, expected] of Object.entries(rows))
      assert.equal(isPrivateIPv4(address), expected, address);
  });

  it('are put into brackets when IPv6', () => {
    assert.equal(sipHost('::1'), '[::1]');
    assert.equal(sipHost('192.0.2.1'), '192.0.2.1');
  });

  it('towards loopback are loopback', () => {
    assert.equal(addressTowards('127.0.0.1'), '127.0.0.1');
    assert.equal(addressTowards('::1'), '::1');
  });
});

describe('Session-Expires', () => {
  const rows: [value: string | undefined, expected: ReturnType<typeof parseSessionExpires>][] = [
    [undefined, undefined],
    ['1800', { seconds: 1800, refresher: undefined }],
    [' 90 ; refresher = UAC', { seconds: 90, refresher: 'uac' }],
    ['90;refresher=uas;x=y', { seconds: 90, refresher: 'uas' }],
    ['90;refresher=me', { seconds: 90, refresher: undefined }],
    ['soon', undefined],
    ['-1', undefined],
  ];
  for (const [value, expected] of rows)
    it(`reads ${value ?? 'nothing'}`, () => assert.deepEqual(parseSessionExpires(value), expected));
});
