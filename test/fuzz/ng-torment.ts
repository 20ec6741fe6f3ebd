import fc from 'fast-check';
import { encodeNg } from '../../sip/media/rtpengine/ng-codec.js';
import { browserSdp } from '../bench/messages.js';
import { userName } from '../bench/target.js';
import { SoakPhone } from '../soak/soak-phone.js';
import { ScriptedRtpengine, type ReceivedCommand, type Reply } from '../support/scripted-rtpengine.js';
import type { Torment, TormentKit } from './fuzz-gateway.js';
import type { GatewaySubject } from './gateway-subject.js';
import { near } from './texts.js';

const commands = ['offer', 'answer', 'delete', 'query', 'list'];
const callsPerRound = 4;
const answersPerRound = 64;

/** An rtpengine that answers with anything, under calls between two browsers. */
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
  private answers: Buffer[] = [];
  private given = 0;

  private constructor(
    private readonly server: ScriptedRtpengine,
    private readonly alice: SoakPhone,
    private readonly bob: SoakPhone,
  ) {
    for (const name of commands) server.script.set(name, (received) => this.reply(received));
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
    this.answers = fc.sample(near(usual), { seed, numRuns: answersPerRound });
    for (let i = 0; i < callsPerRound; i++) await this.call();
    this.server.received.length = 0;
    return this.given - before;
  }

  async close(): Promise<void> {
    this.server.script.clear();
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

  private reply(received: ReceivedCommand): Reply {
    const { answers, given } = this;
    this.given += 1;
    const bytes = answers[given % answers.length] ?? Buffer.alloc(0);
    // One of four is as it should be, so that calls get further.
    if (given % 4 === 0) return this.server.usual(received);
    return Buffer.concat([Buffer.from(`${received.cookie} `), bytes]);
  }
}

function refusalOnly(thrown: unknown): void {
  if (thrown instanceof Error && /^(re-)?(INVITE|BYE): \d{3}/.test(thrown.message)) return;
  throw thrown;
}
