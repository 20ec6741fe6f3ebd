import type { TestBrowser } from '../chromium.js';
import type { Gateway } from '../gateway.js';
import { within } from '../within.js';
import { actsInCall, bothHear, browserHears, pbxHears, type Stage } from './acts.js';
import { BrowserUser } from './browser-user.js';
import type { MatrixPeer } from './peer.js';
import {
  steps,
  type Caller,
  type Cell,
  type EngineName,
  type Reasons,
  type Row,
  type Step,
} from './steps.js';

const stepWithinMs = 20_000;
const browserHz = 440;

export interface RowOptions {
  readonly browser: TestBrowser;
  readonly gateway: Gateway;
  readonly engine: EngineName;
  /** What the engine cannot do, with the reason. */
  readonly cannot: Reasons;
  readonly caller: Caller;
  readonly peer: MatrixPeer;
  /** Who is at the browser. */
  readonly user: string;
}

/** Makes the calls of one row: one with all steps but one, and one whose INVITE has no offer. Never rejects. */
export async function runRow(options: RowOptions): Promise<Row> {
  const { engine, caller, peer } = options;
  const cells = new Map<Step, Cell>();
  const reasons: Reasons = { ...peer.cannot(caller), ...options.cannot };
  const can = (step: Step): boolean => {
    const reason = reasons[step];
    if (reason !== undefined) cells.set(step, { outcome: 'not applicable', reason });
    return reason === undefined;
  };
  const attempt = async (step: Step, act: () => Promise<void>): Promise<void> => {
    try {
      await within(stepWithinMs, step, act());
      cells.set(step, { outcome: 'done' });
    } catch (error) {
      cells.set(step, { outcome: 'failed', reason: String(error) });
      throw error;
    }
  };
  const hasEarly = can('early media');
  await onStage(options, async (stage) => {
    const early = (act: () => Promise<void>): Promise<void> => attempt('early media', act);
    const connected = connect(stage, hasEarly ? early : undefined);
    for (const [step, act] of actsInCall)
      if (can(step)) await attempt(step, () => connected.then(() => act(stage)));
    await within(stepWithinMs, 'hang-up', hangUp(stage));
  });
  if (can('late offer')) {
    await onStage(options, (stage) =>
      attempt('late offer', async () => {
        await connectLate(stage);
        await bothHear(stage);
        await hangUp(stage);
      }),
    );
  }
  for (const step of steps) if (!cells.has(step)) cells.set(step, { outcome: 'failed', reason: '' });
  return { engine, caller, peer: peer.name, cells };
}

/** Gives `act` a user who is signed in. What fails is in the cells. */
async function onStage(options: RowOptions, act: (stage: Stage) => Promise<void>): Promise<void> {
  const { browser, gateway, peer, caller } = options;
  const [codec] = peer.codecs;
  const user = await BrowserUser.signIn(browser, gateway, { name: options.user, hz: browserHz, codec });
  const stage: Stage = { user, peer, caller };
  try {
    await act(stage);
  } catch {
    await within(1_000, 'hang-up', user.phone.hangUp()).catch(() => undefined);
  } finally {
    await user.close();
  }
}

type Early = (act: () => Promise<void>) => Promise<void>;

/** Puts the call through; when early media is wanted, what is heard before the answer is `early`. */
async function connect(stage: Stage, early: Early | undefined): Promise<void> {
  const { user, peer, caller } = stage;
  if (caller === 'browser') {
    await peer.await(false);
    const called = user.phone.call(targetOf(peer));
    await Promise.race([peer.early(), failureOf(called)]);
    await early?.(() => browserHears(stage));
    await Promise.all([peer.accept(), called]);
    return;
  }
  const dialled = peer.dial(user.name, false);
  await Promise.race([user.phone.rings(), failureOf(dialled)]);
  const sdp = await user.phone.earlyAnswer();
  user.phone.progress(180);
  user.phone.progress(183, { sdp });
  await early?.(() => pbxHears(stage));
  await Promise.all([user.phone.accept(), dialled]);
}

async function connectLate({ user, peer, caller }: Stage): Promise<void> {
  if (caller === 'browser') {
    await peer.await(true);
    await Promise.all([user.phone.call(targetOf(peer), { late: true }), peer.accept()]);
    return;
  }
  const dialled = peer.dial(user.name, true);
  await Promise.race([user.phone.rings(), failureOf(dialled)]);
  await Promise.all([user.phone.accept(), dialled]);
}

/** Who has called hangs up. */
async function hangUp({ user, peer }: Stage): Promise<void> {
  await Promise.all([peer.ended(), user.phone.hangUp()]);
}

/** Rejects when the promise does, and else never settles. */
async function failureOf(promise: Promise<void>): Promise<never> {
  await promise;
  return new Promise(() => undefined);
}

function targetOf({ number }: MatrixPeer): string {
  return `sip:${number}@localhost`;
}
