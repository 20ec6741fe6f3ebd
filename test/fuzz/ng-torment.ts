import type { RemoteInfo } from 'node:dgram';
import fc from 'fast-check';
import { encodeNg } from '../../sip/media/rtpengine/ng-codec.js';
import { browserSdp } from '../bench/messages.js';
import { userName } from '../bench/target.js';
import { SoakPhone } from '../soak/soak-phone.js';
import { answerTo, ScriptedRtpengine, type ReceivedCommand } from '../support/scripted-rtpengine.js';
import type { Torment, TormentKit } from './fuzz-gateway.js';
import type { GatewaySubject } from './gateway-subject.js';
import { near } from './texts.js';

const commands = ['offer', 'answer', 'delete', 'query', 'list'];
const callsPerRound = 4;
const answersPerRound = 64;
/** After the first repetition of a command, which is answered as well. */
const lateMs = 250;

/** How a command is answered; what costs its whole deadline is rare. */
const manner = fc.oneof(
  { arbitrary: fc.constant('garbled' as const), weight: 40 },
  { arbitrary: fc.constantFrom('refused', 'busy', 'elsewhere', 'twice', 'reversed'), weight: 8 },
  { arbitrary: fc.constantFrom('foreign', 'empty'), weight: 1 },
  { arbitrary: fc.constantFrom('late', 'silent'), weight: 1 },
);
type Manner = typeof manner extends fc.Arbitrary<infer Value> ? Value : never;

/** An rtpengine that answers with anything, late or not at all, under calls between two browsers. */
export async function ngTorment(): Promise<TormentKit> {
  const server = await ScriptedRtpengine.start();
  const { port } = server.address;
  return {
    subject: {
      media: `{ engine: rtpengine, rtpengine: [{ ng: "udp:127.0.0.1:${port}" }], browser_to_browser: anchored }`,
    },
    torment: (subject) => NgTorment.open(subject, server),
    close: () => server.close(),
  };
}

class NgTorment implements Torment {
  private answers: (readonly [Manner, Buffer])[] = [];
  private given = 0;

  private constructor(
    private readonly server: ScriptedRtpengine,
    private readonly alice: SoakPhone,
    private readonly bob: SoakPhone,
  ) {
    for (const name of commands) server.script.set(name, () => undefined);
    server.onCommand = (received, from) => this.answer(received, from);
  }

  static async open({ wsUrl }: GatewaySubject, server: ScriptedRtpengine): Promise<NgTorment> {
    const phones = [0, 1].map((index) => new SoakPhone(userName(index), wsUrl, browserSdp(1_500)));
    for (const phone of phones) await phone.connect();
    const [alice, bob] = phones;
    if (alice === undefined || bob === undefined) throw new TypeError('two phones were made');
    return new NgTorment(server, alice, bob);
  }

  async attack(_subject: GatewaySubject, seed: number): Promise<number> {
    const before = this.given;
    const usual = ['offer', 'answer', 'query'].map((name) =>
      encodeNg(this.server.usual({ cookie: '', name, command: new Map() })),
    );
    this.answers = fc.sample(fc.tuple(manner, near(usual)), { seed, numRuns: answersPerRound });
    for (let i = 0; i < callsPerRound; i++) await this.call();
    this.server.received.length = 0;
    return this.given - before;
  }

  async close(): Promise<void> {
    this.server.script.clear();
    this.server.onCommand = undefined;
    this.alice.drop();
    this.bob.drop();
    return Promise.resolve();
  }

  /** May fail, but must come to an end: no answer at all is a failure. */
  private async call(): Promise<void> {
    const { alice, bob } = this;
    const answered = bob.ua.answered(bob.user).catch(() => undefined);
    try {
      const dialog = await alice.ua.call(alice.aor, bob.aor, () => undefined);
      await alice.ua.reinvite(dialog, 'sendonly').catch(refusalOnly);
      await alice.ua.hangUp(dialog).catch(refusalOnly);
    } catch (thrown) {
      refusalOnly(thrown);
    }
    bob.ua.stopWaiting(bob.user);
    await answered;
  }

  private answer(received: ReceivedCommand, from: RemoteInfo): void {
    if (!commands.includes(received.name)) return;
    const { answers, given, server } = this;
    this.given += 1;
    const [how, bytes] = answers[given % answers.length] ?? ['silent', Buffer.alloc(0)];
    const right = answerTo(received.cookie, server.usual(received));
    // One of four is as it should be, so that calls get further.
    if (given % 4 === 0) return server.send(right, from);
    for (const datagram of datagrams(how, received.cookie, bytes, right)) server.send(datagram, from);
    if (how === 'late') setTimeout(() => server.onCommand && server.send(right, from), lateMs).unref();
  }
}

function datagrams(how: Manner, cookie: string, bytes: Buffer, right: Buffer): Buffer[] {
  switch (how) {
    case 'garbled':
      return [Buffer.concat([Buffer.from(`${cookie} `), bytes])];
    case 'refused':
      return [answerTo(cookie, { result: 'error', 'error-reason': bytes.toString('latin1') })];
    case 'busy':
      return [answerTo(cookie, { result: 'load limit', message: bytes.toString('latin1', 0, 300) })];
    // Others before its own.
    case 'elsewhere':
      return [bytes, answerTo(`${cookie}x`, { result: 'ok' }), answerTo('', { result: 'ok' }), right];
    case 'twice':
      return [right, Buffer.concat([Buffer.from(`${cookie} `), bytes])];
    case 'reversed':
      return [Buffer.concat([Buffer.from(`${cookie} `), bytes]), right];
    case 'foreign':
      return [answerTo(cookie.toUpperCase(), { result: 'ok' })];
    case 'empty':
      return [Buffer.alloc(0), Buffer.from(cookie), Buffer.from(`${cookie} `)];
    case 'late':
    case 'silent':
      return [];
  }
}

function refusalOnly(thrown: unknown): void {
  if (thrown instanceof Error && /^(re-)?(INVITE|BYE): \d{3}/.test(thrown.message)) return;
  throw thrown;
}
