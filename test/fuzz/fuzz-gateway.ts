import { isOver, Slowest, type FuzzOptions, type FuzzTarget } from './fuzz-target.js';
import { GatewaySubject, type SubjectOptions } from './gateway-subject.js';

/** Torments a gateway through one of its inputs. */
export interface Torment {
  /** Gives so many inputs, chosen by the seed; resolves with how many it gave. */
  attack(subject: GatewaySubject, seed: number): Promise<number>;
  /** Ends what the attacks have left open. */
  close(): Promise<void>;
}

/** What a torment needs, made before the gateway starts. */
export interface TormentKit {
  readonly subject: SubjectOptions;
  torment(subject: GatewaySubject): Promise<Torment>;
  /** Of what was made beside the gateway. */
  close(): Promise<void>;
}

const say = { everyRounds: 200 };

/** Attacks a whole gateway in a process of its own, and asks it after each attack whether it is well. */
export function fuzzGateway(open: () => Promise<TormentKit>): FuzzTarget {
  return async (options) => {
    const kit = await open();
    let subject: GatewaySubject | undefined;
    try {
      subject = await GatewaySubject.start(kit.subject);
      const slowest = new Slowest();
      const beganMs = performance.now();
      const [early, late] = [fifthOf(options, beganMs), options];
      const first = await stretch(kit, subject, early, slowest, 0);
      const before = options.isBrief === true ? 0 : await subject.rest();
      const runs = await stretch(kit, subject, late, slowest, first);
      const after = options.isBrief === true ? 0 : await subject.rest();
      return { runs, slowest, memoryBytes: [before, after] };
    } finally {
      await subject?.stop();
      await kit.close();
    }
  };
}

function fifthOf(options: FuzzOptions, beganMs: number): FuzzOptions {
  const { count, untilMs } = options;
  return { ...options, count: count / 5, untilMs: beganMs + (untilMs - beganMs) / 5 };
}

async function stretch(
  kit: TormentKit,
  subject: GatewaySubject,
  options: FuzzOptions,
  slowest: Slowest,
  from: number,
): Promise<number> {
  const torment = await kit.torment(subject);
  let runs = from;
  try {
    for (let round = 0; !isOver(options, runs); round++) {
      const seed = options.seed + from * 31 + round;
      try {
        runs += await torment.attack(subject, seed);
        slowest.note(await subject.check(), `/healthz after round ${round}`);
      } catch (cause) {
        const { message } = cause instanceof Error ? cause : { message: String(cause) };
        const told = await subject.check().then(() => '', String);
        throw new Error(`round with seed ${seed}, after ${runs} inputs: ${message}\n${told}`, { cause });
      }
      if (round % say.everyRounds === say.everyRounds - 1) options.say(`${runs} inputs`);
    }
  } finally {
    await torment.close();
  }
  return runs;
}
