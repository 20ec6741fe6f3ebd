import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import fc from 'fast-check';
import { browserSdp } from '../bench/messages.js';
import { domain, passwordOf, userName } from '../bench/target.js';
import { asResponse, WsSipClient } from '../support/ws-sip-client.js';
import { rfc5118 } from '../torture/rfc5118-table.js';
import { tortureMessages } from '../torture/rfc4475-table.js';
import type { Torment, TormentKit } from './fuzz-gateway.js';
import type { GatewaySubject } from './gateway-subject.js';
import { near } from './texts.js';

const framesPerSocket = 8;
/** New connections are limited, too. */
const tooManyMs = 1_000;
const messagesPerRound = 30;
const corpus = [...tortureMessages(), ...rfc5118].map(({ bytes }) => bytes);

/** What a frame is made of (RFC 6455 §5.2); wrong now and then. */
const frame = fc.record({
  payload: near(corpus),
  opcode: fc.oneof({ arbitrary: fc.constantFrom(1, 2), weight: 6 }, { arbitrary: fc.nat(15), weight: 1 }),
  reserved: fc.oneof({ arbitrary: fc.constant(0), weight: 12 }, { arbitrary: fc.nat(7), weight: 1 }),
  isFinal: fc.oneof({ arbitrary: fc.constant(true), weight: 6 }, { arbitrary: fc.boolean(), weight: 1 }),
  isMasked: fc.oneof({ arbitrary: fc.constant(true), weight: 12 }, { arbitrary: fc.boolean(), weight: 1 }),
  lengthOff: fc.oneof(
    { arbitrary: fc.constant(0), weight: 12 },
    { arbitrary: fc.integer({ min: -5, max: 70_000 }), weight: 1 },
  ),
});
type Frame = typeof frame extends fc.Arbitrary<infer Value> ? Value : never;

function bytesOf({ payload, opcode, reserved, isFinal, isMasked, lengthOff }: Frame): Buffer {
  const length = Math.max(0, payload.length + lengthOff);
  const long = length > 65_535 ? 10 : length > 125 ? 4 : 2;
  const head = Buffer.alloc(long);
  head[0] = (isFinal ? 0x80 : 0) | (reserved << 4) | opcode;
  head[1] = (isMasked ? 0x80 : 0) | (long === 10 ? 127 : long === 4 ? 126 : length);
  if (long === 4) head.writeUInt16BE(length, 2);
  if (long === 10) head.writeBigUInt64BE(BigInt(length), 2);
  // A key of zeros leaves the payload as it is.
  return Buffer.concat([head, Buffer.alloc(isMasked ? 4 : 0), payload]);
}

/** Frames by hand, and messages of users who have signed in: to each other, to the trunk, in dialogs and out. */
export async function websocketTorment(): Promise<TormentKit> {
  return Promise.resolve({
    subject: {},
    torment: (subject) => Promise.resolve(new WebSocketTorment(subject)),
    close: () => Promise.resolve(),
  });
}

class WebSocketTorment implements Torment {
  private alice: WsSipClient | undefined;
  private bob: WsSipClient | undefined;

  constructor(private readonly subject: GatewaySubject) {}

  async attack(_subject: GatewaySubject, seed: number): Promise<number> {
    try {
      return await (seed % 2 === 0 ? this.frames(seed) : this.messages(seed));
    } catch (thrown) {
      if (!String(thrown).includes('server response: 429')) throw thrown;
      await new Promise((resolve) => setTimeout(resolve, tooManyMs));
      return 0;
    }
  }

  async close(): Promise<void> {
    await this.alice?.close();
    await this.bob?.close();
  }

  private async frames(seed: number): Promise<number> {
    const frames = fc.sample(frame, { seed, numRuns: framesPerSocket });
    const socket = await upgraded(this.subject.port);
    for (const one of frames) if (!socket.destroyed) socket.write(bytesOf(one));
    await new Promise((resolve) => setImmediate(resolve));
    if (seed % 4 === 0) socket.destroy();
    else socket.end();
    if (!socket.destroyed) await once(socket, 'close');
    return framesPerSocket;
  }

  /** Both must be up: a flow with too many malformed messages is closed. */
  private async messages(seed: number): Promise<number> {
    this.alice = await signedIn(this.subject.wsUrl, userName(0), this.alice);
    this.bob = await signedIn(this.subject.wsUrl, userName(1), this.bob);
    const { alice, bob } = this;
    const [bobsCalls, since] = [bob.received.length, alice.received.length];
    alice.send(invite(alice, seed % 3 === 0 ? '9123' : userName(1)));
    await pause();
    const seeds = [...requests(alice), ...answersTo(bob.received.slice(bobsCalls))];
    const inCall = dialogOf(alice.received.slice(since));
    if (inCall !== undefined) seeds.push(...requests(alice, inCall));
    const inputs = near(seeds.map((text) => Buffer.from(text)));
    for (const bytes of fc.sample(inputs, { seed, numRuns: messagesPerRound })) {
      const from = bytes.indexOf('SIP/2.0') === 0 ? bob : alice;
      from.send(bytes.toString('latin1'), { binary: seed % 5 === 0 });
    }
    await pause();
    for (const client of [alice, bob]) client.received.splice(0, client.received.length);
    return messagesPerRound;
  }
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 10));

async function upgraded(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(
    'GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: sip\r\n\r\n',
  );
  await once(socket, 'data');
  socket.resume();
  return socket;
}

async function signedIn(url: string, user: string, before: WsSipClient | undefined): Promise<WsSipClient> {
  if (before !== undefined && before.socket.readyState === before.socket.OPEN) return before;
  const identity = { user, password: passwordOf(user), domain, instanceId: `<urn:uuid:${user}>` };
  const client = await WsSipClient.connect(url, identity);
  const answer = await client.register({ expires: 600 });
  if (answer.status !== 200) throw new Error(`REGISTER: ${answer.status} ${answer.reason}`);
  return client;
}

const body = browserSdp(1_500);
const ofSdp = ['Content-Type: application/sdp'];

function invite(client: WsSipClient, user: string): string {
  const callId = `x${Math.trunc(performance.now() * 1_000)}`;
  const uri = `sip:${user}@${domain}`;
  const headers = [`To: <${uri}>`, `Call-ID: ${callId}`, 'Supported: 100rel, timer, replaces', ...ofSdp];
  return client.request('INVITE', uri, { headers, body, cseq: 1 });
}

interface Inside {
  readonly callId: string;
  readonly to: string;
}

function dialogOf(texts: readonly string[]): Inside | undefined {
  const text = texts.find((one) => one.startsWith('SIP/2.0 1') && /^To:.*;tag=/im.test(one));
  const [callId, to] = [/^Call-ID: *(\S+)/im.exec(text ?? '')?.[1], /^To: *(.*?)\r$/im.exec(text ?? '')?.[1]];
  return callId === undefined || to === undefined ? undefined : { callId, to };
}

const fields: Readonly<Record<string, readonly string[]>> = {
  INVITE: ofSdp,
  UPDATE: [...ofSdp, 'Session-Expires: 90;refresher=uac'],
  INFO: ['Content-Type: application/dtmf-relay'],
  MESSAGE: ['Content-Type: text/plain'],
  REFER: [`Refer-To: <sip:${userName(2)}@${domain}>`, 'Referred-By: <sip:x@y>'],
  SUBSCRIBE: ['Event: presence', 'Expires: 60'],
  NOTIFY: ['Event: refer', 'Subscription-State: active'],
  PUBLISH: ['Event: presence', 'Expires: 60', 'Content-Type: application/pidf+xml'],
  PRACK: ['RAck: 1 1 INVITE'],
};
const methods = [...Object.keys(fields), 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'REGISTER'];

function requests(client: WsSipClient, inside?: Inside): string[] {
  const uri = `sip:${userName(1)}@${domain}`;
  return methods.map((method) => {
    const place = inside === undefined ? [] : [`Call-ID: ${inside.callId}`, `To: ${inside.to}`];
    const headers = [...place, ...(fields[method] ?? [])];
    const hasSdp = fields[method]?.includes(ofSdp[0] ?? '') === true;
    return client.request(method, uri, { headers, body: hasSdp ? body : '' });
  });
}

/** What a callee may answer. */
function answersTo(texts: readonly string[]): string[] {
  const found = texts.find((text) => text.startsWith('INVITE '));
  if (found === undefined) return [];
  const copied = found.split('\r\n').filter((line) => /^(Via|From|Call-ID|CSeq|Record-Route):/i.test(line));
  const to = /^To:.*$/im.exec(found)?.[0].trim() ?? '';
  return ['100 Trying', '180 Ringing', '183 Session Progress', '200 OK', '302 Moved', '486 Busy Here'].map(
    (status) => {
      const text = [
        ...[`SIP/2.0 ${status}`, ...copied, `${to};tag=bob`, 'Contact: <sip:bob@bob.invalid;transport=ws>'],
        ...['Require: 100rel', 'RSeq: 1', ...ofSdp, `Content-Length: ${Buffer.byteLength(body)}`, '', body],
      ].join('\r\n');
      return asResponse(text) && text;
    },
  );
}
