import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  branchOf,
  canonicalAor,
  parseNameAddrList,
  tagOf,
  type SipMessage,
  type SipRequest,
} from '../../sip/message/index.js';
import { ownMessages } from './own-messages.js';

/**
 * What becomes of a message. `accepted`: parsed, and every check passes. `checked S R`: parsed, then refused by a check
 * with status S and reason R. `answered S R`: unreadable, but the parser has a reply. `dropped R`: unreadable, and there
 * is nobody or no reason to answer.
 */
export type Outcome =
  'accepted' | `checked ${number} ${string}` | `answered ${number} ${string}` | `dropped ${string}`;

export interface Expectation {
  readonly name: string;
  /** Section of RFC 4475. */
  readonly section: string;
  readonly outcome: Outcome;
  /** What must be read out of the message. */
  verify?(message: SipMessage): void;
}

function isRequest(message: SipMessage): asserts message is SipRequest {
  assert.equal(message.kind, 'request');
}

const bodyIs =
  (bytes: number) =>
  (message: SipMessage): void => {
    assert.ok(Math.abs(message.body.length - bytes) < 60, `body of ${message.body.length} bytes`);
  };

/** All 49 messages of RFC 4475, in its order. */
export const rfc4475: readonly Expectation[] = [
  {
    name: 'wsinv',
    section: '3.1.1.1',
    outcome: 'accepted',
    verify(message) {
      isRequest(message);
      assert.equal(message.headers.get('Max-Forwards'), '0068');
      assert.deepEqual(message.cseq, { number: 9, method: 'INVITE' });
      assert.ok(message.from.displayName?.endsWith(' \\"') || message.from.displayName?.endsWith('\\"'));
      assert.match(tagOf(message.to) ?? '', /n$/);
      assert.match(
        message.headers.get('UnknownHeaderWithUnusualValue') ?? message.headers.get('OtherField') ?? '',
        /^;;,,;;,;$/,
      );
      assert.equal(message.headers.get('Subject'), '');
      assert.equal(message.headers.getAll('Via').length, 2);
      assert.ok(!branchOf(message.topVia)?.startsWith('z9hG4bK'));
      const [contact] = parseNameAddrList(message.headers.getAll('Contact')) ?? [];
      assert.match(contact?.displayName ?? '', /""$/);
      assert.equal(contact?.params.get('q'), '0.33');
    },
  },
  {
    name: 'intmeth',
    section: '3.1.1.2',
    outcome: 'checked 501 Not Implemented',
    verify(message) {
      isRequest(message);
      assert.equal(message.cseq.method, message.method);
      assert.equal(message.to.displayName, 'BEL:\u0007 NUL:\ufffd DEL:\u007f');
      assert.match(message.callId, /\)\(><:\\\/"\]\[\?}\{$/);
      assert.ok(message.uri.scheme === 'sip' && message.uri.password !== undefined);
    },
  },
  {
    name: 'esc01',
    section: '3.1.1.3',
    outcome: 'accepted',
    verify(message) {
      isRequest(message);
      assert.ok(message.uri.scheme === 'sip');
      assert.match(message.uri.user ?? '', /^sips%3A.+%40example\.com$/);
      assert.equal(message.uri.host, 'example.net');
      assert.match(canonicalAor(message.to.uri) ?? '', /^sip:[a-z]+@example\.com$/);
      assert.match(canonicalAor(message.from.uri) ?? '', /^sip:I%20have%20.+@example\.net$/);
    },
  },
  {
    name: 'escnull',
    section: '3.1.1.4',
    outcome: 'accepted',
    verify(message) {
      assert.match(canonicalAor(message.to.uri) ?? '', /^sip:.+-%00-.+@example\.com$/);
      const contacts = parseNameAddrList(message.headers.getAll('Contact')) ?? [];
      const users = contacts.map(({ uri }) => (uri.scheme === 'sip' ? uri.user : undefined));
      assert.deepEqual(users, ['%00', '%00%00']);
    },
  },
  {
    name: 'esc02',
    section: '3.1.1.5',
    outcome: 'checked 501 Not Implemented',
    verify(message) {
      isRequest(message);
      assert.equal(message.method, 'RE%47IST%45R');
      assert.equal(message.to.displayName, '%Z%45');
      assert.equal(message.headers.getAll('C%6Fntact').length, 1);
    },
  },
  {
    name: 'lwsdisp',
    section: '3.1.1.6',
    outcome: 'accepted',
    verify: (message) => assert.match(message.from.displayName ?? '', /^(caller|alice)$/),
  },
  {
    name: 'longreq',
    section: '3.1.1.7',
    outcome: 'accepted',
    verify: (message) => assert.ok(message.headers.getAll('Via').length > 30),
  },
  {
    name: 'dblreq',
    section: '3.1.1.8',
    outcome: 'accepted',
    verify: (message) => assert.equal(message.body.length, 0),
  },
  {
    name: 'semiuri',
    section: '3.1.1.9',
    outcome: 'accepted',
    verify(message) {
      isRequest(message);
      assert.ok(message.uri.scheme === 'sip');
      assert.match(message.uri.user ?? '', /;par=u%40example\.net$/);
      assert.equal(message.uri.params.size, 0);
    },
  },
  {
    name: 'transports',
    section: '3.1.1.10',
    outcome: 'accepted',
    verify: (message) => assert.equal(message.headers.getAll('Via').length, 5),
  },
  {
    name: 'mpart01',
    section: '3.1.1.11',
    outcome: 'accepted',
    verify(message) {
      assert.equal(message.body.length, Number(message.headers.get('Content-Length')));
      assert.ok(message.body.some((byte) => byte > 127));
    },
  },
  {
    name: 'unreason',
    section: '3.1.1.12',
    outcome: 'accepted',
    verify: (message) =>
      assert.ok(message.kind === 'response' && /^= 2\*\*3 \* 5\*\*2 \u043d\u043e/.test(message.reason)),
  },
  {
    name: 'noreason',
    section: '3.1.1.13',
    outcome: 'accepted',
    verify: (message) => assert.ok(message.kind === 'response' && message.reason === ''),
  },
  { name: 'badinv01', section: '3.1.2.1', outcome: 'answered 400 Malformed Via' },
  { name: 'clerr', section: '3.1.2.2', outcome: 'answered 400 Content-Length Larger Than Message' },
  { name: 'ncl', section: '3.1.2.3', outcome: 'answered 400 Malformed Content-Length' },
  { name: 'scalar02', section: '3.1.2.4', outcome: 'answered 400 Malformed CSeq' },
  { name: 'scalarlg', section: '3.1.2.5', outcome: 'dropped Malformed CSeq' },
  { name: 'quotbal', section: '3.1.2.6', outcome: 'answered 400 Malformed To' },
  { name: 'ltgtruri', section: '3.1.2.7', outcome: 'answered 400 Malformed Request-URI' },
  { name: 'lwsruri', section: '3.1.2.8', outcome: 'answered 400 Malformed Request Line' },
  { name: 'lwsstart', section: '3.1.2.9', outcome: 'answered 400 Malformed Request Line' },
  { name: 'trws', section: '3.1.2.10', outcome: 'answered 400 Malformed Request Line' },
  { name: 'escruri', section: '3.1.2.11', outcome: 'answered 400 Headers in Request-URI' },
  // Nothing here reads Date, so a wrong zone harms nobody.
  { name: 'baddate', section: '3.1.2.12', outcome: 'accepted', verify: bodyIs(150) },
  { name: 'regbadct', section: '3.1.2.13', outcome: 'checked 400 Malformed Contact' },
  { name: 'badaspec', section: '3.1.2.14', outcome: 'answered 400 Malformed To' },
  // A comma in an unquoted display name could be two values to another reader: no guess.
  { name: 'baddn', section: '3.1.2.15', outcome: 'answered 400 Malformed From' },
  { name: 'badvers', section: '3.1.2.16', outcome: 'answered 505 Version Not Supported' },
  { name: 'mismatch01', section: '3.1.2.17', outcome: 'checked 400 CSeq Method Mismatch' },
  { name: 'mismatch02', section: '3.1.2.18', outcome: 'checked 400 CSeq Method Mismatch' },
  { name: 'bigcode', section: '3.1.2.19', outcome: 'dropped Malformed Status Line' },
  {
    name: 'badbranch',
    section: '3.2.1',
    outcome: 'accepted',
    verify: (message) => assert.equal(branchOf(message.topVia), 'z9hG4bK'),
  },
  // Without From, To and Call-ID no response could find its request.
  { name: 'insuf', section: '3.3.1', outcome: 'dropped Missing From' },
  { name: 'unkscm', section: '3.3.2', outcome: 'checked 416 Unsupported URI Scheme' },
  { name: 'novelsc', section: '3.3.3', outcome: 'checked 416 Unsupported URI Scheme' },
  { name: 'unksm2', section: '3.3.4', outcome: 'checked 400 Address-of-Record Is No SIP URI' },
  { name: 'bext01', section: '3.3.5', outcome: 'checked 420 Bad Extension' },
  { name: 'invut', section: '3.3.6', outcome: 'checked 415 Unsupported Media Type' },
  { name: 'regaut01', section: '3.3.7', outcome: 'accepted' },
  { name: 'multi01', section: '3.3.8', outcome: 'answered 400 Duplicate CSeq' },
  { name: 'mcl01', section: '3.3.9', outcome: 'answered 400 Duplicate Content-Length' },
  {
    name: 'bcast',
    section: '3.3.10',
    outcome: 'accepted',
    verify: (message) => assert.equal(message.headers.getAll('Via').length, 2),
  },
  { name: 'zeromf', section: '3.3.11', outcome: 'checked 483 Too Many Hops' },
  {
    name: 'cparam01',
    section: '3.3.12',
    outcome: 'accepted',
    verify(message) {
      const [contact] = parseNameAddrList(message.headers.getAll('Contact')) ?? [];
      assert.equal(contact?.params.size, 1);
    },
  },
  {
    name: 'cparam02',
    section: '3.3.13',
    outcome: 'accepted',
    verify(message) {
      const [contact] = parseNameAddrList(message.headers.getAll('Contact')) ?? [];
      assert.ok(contact?.uri.scheme === 'sip' && contact.uri.params.size === 1 && contact.params.size === 0);
    },
  },
  {
    name: 'regescrt',
    section: '3.3.14',
    outcome: 'accepted',
    verify(message) {
      const [contact] = parseNameAddrList(message.headers.getAll('Contact')) ?? [];
      assert.ok(contact?.uri.scheme === 'sip' && contact.uri.headers?.startsWith('Route=%3C') === true);
    },
  },
  { name: 'sdp01', section: '3.3.15', outcome: 'checked 406 Not Acceptable' },
  {
    name: 'inv2543',
    section: '3.4.1',
    // Its body, delimited by the datagram, is read; but RFC 3261 needs the Contact that RFC 2543 did not.
    outcome: 'checked 400 Missing Contact',
    verify(message) {
      assert.equal(branchOf(message.topVia), undefined);
      assert.equal(tagOf(message.from), undefined);
      assert.ok(message.body.toString().startsWith('v=0'));
    },
  },
];

export interface TortureMessage {
  readonly expectation: Expectation;
  /** `rfc`: the RFC's own file; `own`: our message of the same idea. */
  readonly source: 'rfc' | 'own';
  readonly bytes: Buffer;
}

/** Where the RFC's files may lie, seen from `dist/test/torture`. */
const rfcFolder = fileURLToPath(new URL('../../../../shared/rfc4475/', import.meta.url));

function rfcFile(name: string): Buffer | undefined {
  const path = `${rfcFolder}${name}.dat`;
  return existsSync(path) ? readFileSync(path) : undefined;
}

/** Names of the RFC's files that are at hand; empty in a checkout without them. */
export function rfcFiles(): string[] {
  return existsSync(rfcFolder) ? readdirSync(rfcFolder).map((file) => file.replace(/\.dat$/, '')) : [];
}

/** Each message of the table: ours always, the RFC's where its files are at hand. */
export function tortureMessages(): TortureMessage[] {
  const messages: TortureMessage[] = [];
  for (const expectation of rfc4475) {
    const own = ownMessages[expectation.name];
    if (own === undefined) throw new Error(`no message of ours for ${expectation.name}`);
    messages.push({ expectation, source: 'own', bytes: own });
    const rfc = rfcFile(expectation.name);
    if (rfc !== undefined) messages.push({ expectation, source: 'rfc', bytes: rfc });
  }
  return messages;
}
