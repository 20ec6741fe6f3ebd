import assert from 'node:assert/strict';
import type { SipMessage } from '../../sip/message/index.js';

/** A message with IPv6 addresses, after a section of RFC 5118; the words are ours. */
export interface Ipv6Expectation {
  readonly name: string;
  /** Section of RFC 5118. */
  readonly section: string;
  readonly outcome: 'accepted' | `answered ${number} ${string}`;
  readonly bytes: Buffer;
  /** What must be read out of the message. */
  verify?(message: SipMessage): void;
}

interface Parts {
  readonly method?: string;
  readonly uri: string;
  /** Topmost first, after `SIP/2.0/`. */
  readonly via?: readonly string[];
  readonly fields?: readonly string[];
  readonly body?: readonly string[];
}

const usualVia = 'UDP [2001:db8::9:1];branch=z9hG4bKas3-111';

function message({ method = 'REGISTER', uri, via = [usualVia], fields = [], body = [] }: Parts): Buffer {
  const text = body.map((line) => `${line}\r\n`).join('');
  return Buffer.from(
    [
      `${method} ${uri} SIP/2.0`,
      ...via.map((value) => `Via: SIP/2.0/${value}`),
      'To: <sip:user@example.com>',
      'From: <sip:user@example.com>;tag=81x2',
      'Call-ID: SSG9559905523997077@hlau_4100',
      'Max-Forwards: 70',
      'Contact: "Caller" <sip:caller@[2001:db8::1]>',
      `CSeq: 98176 ${method}`,
      ...fields,
      ...(body.length === 0 ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${Buffer.byteLength(text)}`,
      '',
      text,
    ].join('\r\n'),
  );
}

const hostOf = (read: SipMessage): readonly [string, number | undefined] => {
  assert.ok(read.kind === 'request' && 'host' in read.uri);
  return [read.uri.host, read.uri.port];
};

const receivedIs =
  (pattern: RegExp) =>
  (read: SipMessage): void =>
    assert.match(read.topVia.params.get('received') ?? '', pattern);

const sdp = (...lines: readonly string[]): readonly string[] => [
  'v=0',
  'o=assistant 971731711378798081 0 IN IP6 2001:db8::20',
  's=Live video feed for the meeting',
  ...lines,
];

/** All 11 messages of RFC 5118, in its order. */
export const rfc5118: readonly Ipv6Expectation[] = [
  {
    name: 'ipv6-good',
    section: '4.1',
    outcome: 'accepted',
    bytes: message({ uri: 'sip:[2001:db8::10]' }),
    verify: (read) => assert.deepEqual(hostOf(read), ['[2001:db8::10]', undefined]),
  },
  {
    name: 'ipv6-bad',
    section: '4.2',
    outcome: 'answered 400 Malformed Request-URI',
    bytes: message({ uri: 'sip:2001:db8::10' }),
  },
  {
    name: 'port-ambiguous',
    section: '4.3',
    outcome: 'accepted',
    bytes: message({ uri: 'sip:[2001:db8::10:5070]' }),
    verify: (read) => assert.deepEqual(hostOf(read), ['[2001:db8::10:5070]', undefined]),
  },
  {
    name: 'port-unambiguous',
    section: '4.4',
    outcome: 'accepted',
    bytes: message({ uri: 'sip:[2001:db8::10]:5070' }),
    verify: (read) => assert.deepEqual(hostOf(read), ['[2001:db8::10]', 5070]),
  },
  {
    name: 'via-received-param-with-delim',
    section: '4.5',
    outcome: 'accepted',
    bytes: message({
      method: 'BYE',
      uri: 'sip:[2001:db8::10]',
      via: ['UDP [2001:db8::9:1];received=[2001:db8::9:255];branch=z9hG4bKas3-111'],
    }),
    verify: receivedIs(/^\[?2001:db8::9:255\]?$/),
  },
  {
    name: 'via-received-param-no-delim',
    section: '4.5',
    outcome: 'accepted',
    bytes: message({
      method: 'OPTIONS',
      uri: 'sip:[2001:db8::10]',
      via: ['UDP [2001:db8::9:1];received=2001:db8::9:255;branch=z9hG4bKas3'],
    }),
    verify: receivedIs(/^2001:db8::9:255$/),
  },
  {
    name: 'ipv6-in-sdp',
    section: '4.6',
    outcome: 'accepted',
    bytes: message({
      method: 'INVITE',
      uri: 'sip:user@[2001:db8::10]',
      body: sdp('c=IN IP6 2001:db8::20', 't=0 0', 'm=audio 6000 RTP/AVP 2', 'a=rtpmap:2 G726-32/8000'),
    }),
    verify: (read) => assert.match(read.body.toString(), /^c=IN IP6 2001:db8::20\r$/m),
  },
  {
    name: 'mult-ip-in-header',
    section: '4.7',
    outcome: 'accepted',
    bytes: message({
      method: 'BYE',
      uri: 'sip:user@host.example.net',
      via: [
        'UDP [2001:db8::9:1]:6050;branch=z9hG4bKas3-111',
        'UDP 192.0.2.1;branch=z9hG4bKjhja8781hjuaij65144',
        'TCP [2001:db8::9:255];branch=z9hG4bK451jj;received=192.0.2.200',
      ],
    }),
    verify: (read) => assert.equal(read.headers.getAll('Via').length, 3),
  },
  {
    name: 'mult-ip-in-sdp',
    section: '4.8',
    outcome: 'accepted',
    bytes: message({
      method: 'INVITE',
      uri: 'sip:user@[2001:db8::10]',
      body: sdp(
        't=0 0',
        'm=audio 22334 RTP/AVP 0',
        'c=IN IP4 192.0.2.1',
        'm=video 6024 RTP/AVP 107',
        'c=IN IP6 2001:db8::1',
        'a=rtpmap:107 H263-1998/90000',
      ),
    }),
  },
  {
    name: 'ipv4-mapped-ipv6',
    section: '4.9',
    outcome: 'accepted',
    bytes: message({
      method: 'INVITE',
      uri: 'sip:user@example.com',
      via: [
        'UDP [::ffff:192.0.2.10]:19823;branch=z9hG4bKbh19',
        'UDP [::ffff:192.0.2.2];branch=z9hG4bKas3-111',
      ],
      body: sdp('c=IN IP6 ::ffff:192.0.2.2', 't=0 0', 'm=audio 6000 RTP/AVP 2'),
    }),
    verify: (read) => assert.equal(read.topVia.host, '[::ffff:192.0.2.10]'),
  },
  {
    // §4.10 lets a parser overlook the third colon; ours does not guess.
    name: 'ipv6-bug-abnf-3-colons',
    section: '4.10',
    outcome: 'answered 400 Malformed Request-URI',
    bytes: message({ method: 'OPTIONS', uri: 'sip:user@[2001:db8:::192.0.2.1]' }),
  },
];
