import fc from 'fast-check';
import { domain, userName } from '../bench/target.js';
import { ScriptedRedis, type RedisReply } from '../support/scripted-redis.js';
import { within } from '../support/within.js';
import type { Torment, TormentKit } from './fuzz-gateway.js';
import type { GatewaySubject } from './gateway-subject.js';
import { bindings, callDocument } from './stored-records.js';
import { near, nearJson } from './texts.js';

/** Nodes that never were alive, told with each look at the nodes: their calls are taken over when they count as dead. */
const deadNodesPerLook = 8;
const mostDeadNodes = 40;
const recordsPerNode = 40;
const roundsOfEach = 4;
const answersPerRound = 12;
/** A connection on which nonsense was said may have to be given up, which takes twelve seconds, more than once. */
const comesBackWithinMs = 60_000;
/** Of the answers, what is no right answer. */
const garbled = 1 / 8;

const asBytes = (text: string): Buffer => Buffer.from(text);

/** JSON and bytes that are like those of a call, and go nowhere else. */
const callTexts = fc
  .oneof(nearJson([callDocument]), near([asBytes(JSON.stringify(callDocument))]).map(String))
  .filter(staysHere);
const bindingTexts = fc.oneof(nearJson([bindings]), near([asBytes(JSON.stringify(bindings))]).map(String));

/** Nothing is sent to addresses but this machine's. */
function staysHere(text: string): boolean {
  return (text.match(/\d+\.\d+\.\d+\.\d+/g) ?? []).every((address) => /^127\.0\.0\.1$/.test(address));
}

/** A Redis that holds anything, and that answers with anything. */
export async function redisTorment(): Promise<TormentKit> {
  const server = await ScriptedRedis.start();
  const torment = new RedisTorment(server);
  return {
    subject: { store: server.url },
    torment: () => Promise.resolve(torment),
    close: () => server.close(),
  };
}

class RedisTorment implements Torment {
  private given = 0;
  private counted = 0;
  private round = 0;
  private seed = 1;
  private looks = 0;
  private isOver = false;
  private readonly deadNodes = new Set<string>();
  private hasGiven: () => void = () => undefined;

  constructor(private readonly server: ScriptedRedis) {
    const { script } = server;
    script.set('SMEMBERS', () => this.nodes());
    script.set('MGET', (keys) => keys.map(() => null));
    script.set('EVAL', (args) => [...this.claimed(args.at(-1) ?? '')].flat());
    script.set('HGETALL', ([key = '']) => this.records(key));
    script.set('HVALS', ([key = '']) => [...this.records(key).values()]);
  }

  /** Gives how many were given since the last time. In turns: records that are wrong, and answers that are none. */
  async attack(_subject: GatewaySubject, seed: number): Promise<number> {
    this.isOver = false;
    this.seed = seed;
    this.round += 1;
    // What was inherited at the start was given already.
    if (this.given === this.counted) {
      if (this.round % (2 * roundsOfEach) < roundsOfEach) await this.recordsTaken();
      else await this.answersGarbled();
    }
    const counted = this.given - this.counted;
    this.counted = this.given;
    return counted;
  }

  close(): Promise<void> {
    this.server.change = (bytes) => bytes;
    this.deadNodes.clear();
    this.isOver = true;
    return Promise.resolve();
  }

  private nodes(): string[] {
    for (let i = 0; i < deadNodesPerLook && !this.isOver && this.deadNodes.size < mostDeadNodes; i++)
      this.deadNodes.add(`node${(this.looks += 1)}`);
    return [...this.deadNodes];
  }

  private claimed(node: string): ReadonlyMap<string, RedisReply> {
    return this.deadNodes.delete(node) ? this.records('call') : new Map<string, RedisReply>();
  }

  private async recordsTaken(): Promise<void> {
    const taken = new Promise<void>((resolve) => (this.hasGiven = resolve));
    await within(comesBackWithinMs, 'a look at what dead nodes have left', taken);
  }

  private async answersGarbled(): Promise<void> {
    const inputs = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat());
    const chances = fc.sample(inputs, { seed: this.seed, numRuns: answersPerRound });
    let answered = 0;
    await within(
      comesBackWithinMs,
      'commands after nonsense was answered',
      new Promise<void>((resolve) => {
        this.server.change = (bytes) => {
          const [chance, which] = chances[answered] ?? [1, 0];
          answered += 1;
          this.given += 1;
          if (answered >= answersPerRound) resolve();
          return chance < garbled
            ? (fc.sample(near([bytes]), { seed: which, numRuns: 1 })[0] ?? bytes)
            : bytes;
        };
      }),
    );
    this.server.change = (bytes) => bytes;
  }

  private records(key: string): ReadonlyMap<string, RedisReply> {
    if (this.isOver) return new Map<string, RedisReply>();
    const isBindings = key.includes('bindings');
    const texts = fc.sample(isBindings ? bindingTexts : callTexts, {
      seed: (this.seed += 1),
      numRuns: recordsPerNode,
    });
    this.hasGiven();
    return new Map(texts.map((text) => this.filed(text, isBindings)));
  }

  /** As this gateway would have written it, under its key, so that what is wrong in it is looked at. */
  private filed(text: string, isBindings: boolean): readonly [string, string] {
    this.given += 1;
    const [aor, id] = [`sip:${userName(this.given % 10)}@${domain}`, `c_${this.given}`];
    const own = text.replaceAll(/sip:alice@example\.com/g, aor).replaceAll('office', 'pbx');
    return isBindings ? [aor, own] : [id, own.replace('"c_1"', JSON.stringify(id))];
  }
}
