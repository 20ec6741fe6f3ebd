import { requestLines, sipBytes } from '../support/sip-text.js';

/**
 * Our own message for each of RFC 4475: the same idea in other words, so that the table can be checked where the
 * RFC's files are not at hand. Names are the RFC's.
 */
const sdp = [
  'v=0',
  'o=alice 1 1 IN IP4 192.0.2.9',
  's=-',
  'c=IN IP4 192.0.2.9',
  't=0 0',
  'm=audio 49170 RTP/AVP 0',
  '',
].join('\r\n');

const offer = { 'Content-Type': 'application/sdp', 'Content-Length': String(sdp.length) };
const contact = '<sip:alice@192.0.2.9>';

type Changes = Readonly<Record<string, string | undefined>>;

/** An INVITE with an offer. */
function invite(changes: Changes = {}): Buffer {
  return sipBytes(requestLines('INVITE', { Contact: contact, ...offer, ...changes }), sdp);
}

/** A request without body. */
function plain(method: string, changes: Changes = {}): Buffer {
  return sipBytes(requestLines(method, { Contact: undefined, 'Content-Length': '0', ...changes }));
}

function register(changes: Changes = {}): Buffer {
  return plain('REGISTER', {
    start: 'REGISTER sip:example.com SIP/2.0',
    To: '<sip:alice@example.com>',
    ...changes,
  });
}

/** A response without body to an INVITE. */
function response(line: string, changes: Changes = {}): Buffer {
  return plain('INVITE', { start: line, To: '<sip:bob@example.com>;tag=t1', ...changes });
}

const long = (text: string, times: number): string => text.repeat(times);
const manyVias = (): string =>
  Array.from({ length: 30 }, (_, i) => `SIP/2.0/TCP hop${30 - i}.example.com`).join('\r\nvIA : ');

/** Two parts, the second of which is no text. */
const multipart = Buffer.concat([
  Buffer.from('--own\r\nContent-Type: text/plain\r\n\r\nHello\r\n--own\r\nContent-Type: a/b\r\n\r\n'),
  Buffer.from(Array.from({ length: 42 }, (_, i) => (i * 37) & 0xff)),
  Buffer.from('\r\n--own--\r\n'),
]);

const unusualMethod = "odd-Method1!%*_+`.'~";

export const ownMessages: Readonly<Record<string, Buffer>> = {
  wsinv: sipBytes(
    [
      'INVITE sip:bob@example.com;novel SIP/2.0',
      'tO :',
      ' sip:bob@example.com ;   tag    = b77n',
      'fRom   : "Al \\\\\\""       <sip:alice@example.com>',
      '  ;',
      '  tag = a98',
      'mAX-Forwards: 0068',
      'I: wsinv.own@192.0.2.9',
      `L   : ${sdp.length}`,
      'cSEQ: 0009',
      '  INVITE',
      'Via  : SIP  /   2.0',
      ' /UDP',
      '    192.0.2.2;branch=390own',
      's :',
      'NewField:   first line',
      ' second line',
      'OtherField: ;;,,;;,;',
      'C: application/sdp',
      'Route:',
      ' <sip:proxy.example.com;lr;other=value;other-bare>',
      'V:  SIP  / 2.0  / TCP     hop.example.com   ;',
      '  branch  =   z9hG4bKown8  ,',
      ' SIP  /    2.0   / UDP  192.0.2.111   ; branch=',
      ' z9hG4bKown9',
      'M:"Quoted \\"\\"" <sip:alice@example.com> ; novel =',
      '      value ;',
      '  second ; q = 0.33',
    ],
    sdp,
  ),
  intmeth: plain(unusualMethod, {
    start: `${unusualMethod} sip:2_odd.URI~(be!it)&is+not$/so?,/;;*:&it+has=2,odd!*pas$wo~d.(is-it)@example.com SIP/2.0`,
    Via: "SIP/2.0/TCP host.example.com;branch=z9hG4bK-.!%66*_+`'~",
    To: '"BEL:\\\u0007 NUL:\\\0 DEL:\\\u007f" <sip:2_odd.URI~(be!it)&is+not$/so?,/;;*@example.com>',
    From: "word1~` word2'+_ word3*%!.- <sip:plain@example.com>;odd''~+*_!.-%=\"\u0440\u0430\u0431\u043e\u0442\u0430\";tag=_word~1'+`*%!-.",
    'Call-ID': 'intmeth.own%ZK-!.*_+\'@word`~)(><:\\/"][?}{',
    "Odd-!.%*+_`'~": '\ufeff\u5927\u505c\u96fb',
  }),
  esc01: invite({
    start: 'INVITE sip:sips%3Abob%40example.com@example.net SIP/2.0',
    To: 'sip:%62o%62@example.com',
    From: '<sip:I%20have%20blanks@example.net>;tag=93',
    Contact: '\r\n  <sip:al%69ce@192.0.2.9;%6C%72;n%61me=v%61lue%25%34%31>',
  }),
  escnull: register({
    To: 'sip:zero-%00-zero@example.com',
    From: 'sip:zero-%00-zero@example.com;tag=83',
    Contact: '<sip:%00@192.0.2.9>\r\nContact: <sip:%00%00@192.0.2.9>',
  }),
  esc02: plain('RE%47IST%45R', {
    To: '"%Z%45" <sip:thing@example.com>',
    Via: 'SIP/2.0/TCP host.example.com;branch=z9hG4bK209%fzown',
    Contact: '<sip:one@192.0.2.9>',
    'C%6Fntact': '<sip:two@192.0.2.9>',
  }),
  lwsdisp: plain('OPTIONS', { From: 'alice<sip:alice@example.com>;tag=32' }),
  longreq: invite({
    To: `"A name of ${long('very', 20)} long proportion"<sip:bob@example.com:6000;novel=${long('long', 20)};${long('name', 25)}=x;${long('bare', 30)}>`,
    From: `sip:${long('amazinglylongname', 6)}@example.net;tag=1${long('29', 60)};${long('header', 20)}=${long('value', 20)};${long('param', 20)}`,
    'Call-ID': `longreq.one${long('really', 20)}longcallid`,
    [`Unknown-${long('Long', 20)}-Name`]: `unknown-${long('long', 20)}-value; unknown-${long('long', 20)} = ${long('long', 20)}`,
    Via: `${manyVias()}\r\nV  : SIP/2.0/TCP host.example.com;received=192.0.2.5;branch=${long('very', 60)}long`,
    Contact: `<sip:${long('amazinglylongname', 6)}@192.0.2.9>`,
  }),
  dblreq: Buffer.concat([register({ Contact: 'sip:alice@192.0.2.9' }), Buffer.from('\r\n'), invite()]),
  semiuri: plain('OPTIONS', {
    start: 'OPTIONS sip:bob;par=u%40example.net@example.com SIP/2.0',
    Accept: 'application/sdp, application/pkcs7-mime,\r\n        multipart/mixed, message/sipfrag',
  }),
  transports: plain('OPTIONS', {
    Via: ['UDP t1', 'SCTP t2', 'TLS t3', 'UNKNOWN t4', 'TCP t5']
      .map((sentBy, i) => `SIP/2.0/${sentBy}.example.com;branch=z9hG4bKown${i}`)
      .join('\r\nVia: '),
  }),
  mpart01: sipBytes(
    requestLines('MESSAGE', {
      'Content-Type': 'multipart/mixed;boundary=own',
      'Content-Length': String(multipart.length),
    }),
    multipart,
  ),
  unreason: response(
    'SIP/2.0 200 = 2**3 * 5**2 \u043d\u043e \u0441\u0442\u043e \u0434\u0435\u0432\u044f\u043d\u043e\u0441\u0442\u043e',
  ),
  noreason: response('SIP/2.0 100 '),
  badinv01: invite({ Via: 'SIP/2.0/UDP 192.0.2.15;;,;,,', Contact: '"Al" <sip:alice@example.org>;;;;' }),
  clerr: invite({ 'Content-Length': '9999' }),
  ncl: invite({ 'Content-Length': '-999' }),
  scalar02: register({
    CSeq: '36893488147419103232 REGISTER',
    'Max-Forwards': '300',
    Expires: long('1', 99),
    Contact: '<sip:alice@192.0.2.9>\r\n  ;expires=280297596632815',
  }),
  scalarlg: response('SIP/2.0 503 Service Unavailable', {
    CSeq: '9292394834772304023312 OPTIONS',
    'Retry-After': '949302838503028349304023988',
    Warning: '1812 overture "In Progress"',
  }),
  quotbal: invite({ To: '"Mr. B. User <sip:bob@example.com>' }),
  ltgtruri: invite({ start: 'INVITE <sip:bob@example.com> SIP/2.0' }),
  lwsruri: invite({ start: 'INVITE sip:bob@example.com; lr SIP/2.0' }),
  lwsstart: invite({ start: 'INVITE  sip:bob@example.com  SIP/2.0' }),
  trws: plain('OPTIONS', { start: 'OPTIONS sip:bob@example.com SIP/2.0  ' }),
  escruri: invite({ start: 'INVITE sip:bob@example.com?Route=%3Csip:example.com%3E SIP/2.0' }),
  baddate: invite({ Date: 'Mon, 04 Jan 2010 16:00:00 CET' }),
  regbadct: register({ Contact: 'sip:alice@example.com?Route=%3Csip:proxy.example.com%3E' }),
  badaspec: plain('OPTIONS', { To: '"Bob, B" < sip:bob@example.com >' }),
  baddn: Buffer.from(
    `${requestLines('OPTIONS', { From: 'Al, Alice <sip:alice@example.com>;tag=4', Contact: undefined }).join('\r\n')}\r\n`,
  ),
  badvers: plain('OPTIONS', {
    start: 'OPTIONS sip:bob@example.com SIP/7.0',
    Via: 'SIP/7.0/UDP a.example.com;branch=z9hG4bKown',
  }),
  mismatch01: plain('OPTIONS', { CSeq: '8 INVITE' }),
  mismatch02: plain('NEWMETHOD', { CSeq: '8 INVITE', Contact: contact }),
  bigcode: response('SIP/2.0 4294967301 better not break the receiver'),
  badbranch: plain('OPTIONS', { Via: 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK' }),
  insuf: invite({ From: undefined, To: undefined, 'Call-ID': undefined }),
  unkscm: plain('OPTIONS', { start: 'OPTIONS unheardOfScheme:opaque SIP/2.0' }),
  novelsc: plain('OPTIONS', { start: 'OPTIONS soap.beep://192.0.2.9:3002 SIP/2.0' }),
  unksm2: register({
    To: 'isbn:2983792873',
    From: '<http://www.example.com>;tag=32',
    Contact: '<name:Al_Alice>',
  }),
  bext01: plain('OPTIONS', {
    Require: 'nobodyKnows, nobodyKnowsEither',
    'Proxy-Require': 'noProxyKnows, norAnyOther',
  }),
  invut: sipBytes(
    requestLines('INVITE', { 'Content-Type': 'application/novelformat', 'Content-Length': '8' }),
    '<audio/>',
  ),
  regaut01: register({ Authorization: 'UnheardOfScheme opaque-data=here' }),
  multi01: invite({
    CSeq: '5 INVITE\r\nCSeq: 59 INVITE',
    'call-id': 'own@192.0.2.2',
    from: 'sip:alice@example.net;tag=29',
    to: 'sip:other@example.net',
    'max-forwards': '5',
    contact: '<sip:alice@192.0.2.36>',
  }),
  mcl01: sipBytes(
    requestLines('OPTIONS', {
      Contact: undefined,
      'Content-Length': '13\r\nContent-Length: 5',
      'Content-Type': 'text/plain',
    }),
    'Nobody can know how many bytes belong here.',
  ),
  bcast: response('SIP/2.0 200 OK', {
    Via: 'SIP/2.0/UDP 192.0.2.198;branch=z9hG4bKown1\r\nVia: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bKown2',
  }),
  zeromf: plain('OPTIONS', { 'Max-Forwards': '0' }),
  cparam01: register({ Contact: 'sip:+15551230000@gw.example.net;novelparam' }),
  cparam02: register({ Contact: '<sip:+15551230000@gw.example.net;novelparam>' }),
  regescrt: register({ Contact: undefined, M: '<sip:alice@example.com?Route=%3Csip:proxy.example.com%3E>' }),
  sdp01: invite({ Accept: 'text/nobodyKnowsThis' }),
  inv2543: Buffer.concat([
    Buffer.from(
      [
        'INVITE sip:bob@example.com SIP/2.0',
        'Via: SIP/2.0/UDP old.example.com',
        'From: <sip:+15551230000@client.example.net;user=phone>',
        'Record-Route: <sip:bob@example.com;maddr=ss1.example.com>',
        'To: sip:+15551231111@ss1.example.net;user=phone',
        'Call-ID: inv2543.own@client.example.com',
        'CSeq: 56 INVITE',
        'Content-Type: application/sdp',
        '',
        '',
      ].join('\r\n'),
    ),
    Buffer.from(sdp),
  ]),
};
