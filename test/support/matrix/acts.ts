import { within } from '../within.js';
import type { BrowserUser } from './browser-user.js';
import { keyTones } from './key-tones.js';
import type { MatrixPeer } from './peer.js';
import type { Caller, Step } from './steps.js';

/** The two sides of the call of a row. */
export interface Stage {
  readonly user: BrowserUser;
  readonly peer: MatrixPeer;
  readonly caller: Caller;
}

type Act = (stage: Stage) => Promise<void>;

const digit = '5';
const hearWithinMs = 10_000;
const lookEveryMs = 50;

export function browserHears({ user, peer }: Stage): Promise<void> {
  return within(hearWithinMs, 'the browser hears the PBX', user.page.hears(peer.hz ?? user.hz));
}

/** Of what sends back what it hears, the browser tells. */
export function pbxHears(stage: Stage): Promise<void> {
  const { user, peer } = stage;
  if (peer.hz === undefined) return browserHears(stage);
  return within(hearWithinMs, 'the PBX hears the browser', peer.hears(user.hz));
}

/** Both sides hear each other, from now on. */
export async function bothHear(stage: Stage): Promise<void> {
  await Promise.all([browserHears(stage), pbxHears(stage)]);
}

async function bothSilent({ user, peer }: Stage): Promise<void> {
  await Promise.all([
    within(hearWithinMs, 'the browser hears silence', user.page.hears(null)),
    within(hearWithinMs, 'the PBX hears silence', peer.hears(null)),
  ]);
}

const plain: Act = async (stage) => {
  await bothHear(stage);
  await codecIs(stage, stage.peer.codecs[0]);
};

const holdByBrowser: Act = async (stage) => {
  await stage.user.phone.change({ hold: true });
  await bothSilent(stage);
  await stage.user.phone.change({ hold: false });
  await bothHear(stage);
};

const holdByPbx: Act = async (stage) => {
  await stage.peer.hold();
  await bothSilent(stage);
  await stage.peer.resume();
  await bothHear(stage);
};

const codecByBrowser: Act = async (stage) => {
  const [, second] = stage.peer.codecs;
  await stage.user.phone.change({ codec: second });
  await bothHear(stage);
  await codecIs(stage, second);
};

const codecByPbx: Act = async (stage) => {
  const [first] = stage.peer.codecs;
  await stage.peer.changeCodec(first);
  await bothHear(stage);
  await codecIs(stage, first);
};

const iceRestart: Act = async (stage) => {
  const before = await stage.user.page.farUfrag();
  await stage.user.phone.change({ restartIce: true });
  if ((await stage.user.page.farUfrag()) === before) throw new Error('ICE was not restarted');
  await bothHear(stage);
};

const digitToPbx: Act = async (stage) => {
  const { user, peer } = stage;
  const arrives = peer.hz === undefined ? user.page.hearsKey(keyTones(digit)) : peer.pressed(digit);
  await Promise.all([arrives, user.page.press(digit)]);
  await bothHear(stage);
};

const digitToBrowser: Act = async (stage) => {
  const { user, peer } = stage;
  const heard = user.page.hearsKey(keyTones(digit));
  await Promise.all([heard, peer.hz === undefined ? user.page.press(digit) : peer.press(digit)]);
  await bothHear(stage);
};

/** Who has called adds its picture, and takes it away. */
const video: Act = async (stage) => {
  const { user, peer, caller } = stage;
  const turn = (on: boolean): Promise<void> =>
    caller === 'browser' ? user.phone.change({ video: on }) : peer.video(on);
  await turn(true);
  await bothHear(stage);
  await morePictures(() => user.page.pictures());
  await morePictures(() => peer.pictures());
  await turn(false);
  await bothHear(stage);
};

/** What is done once a call is up, in this order. */
export const actsInCall: readonly (readonly [Step, Act])[] = [
  ['plain', plain],
  ['hold by browser', holdByBrowser],
  ['hold by PBX', holdByPbx],
  // With the first codec: events go by its clock.
  ['DTMF to PBX', digitToPbx],
  ['DTMF to browser', digitToBrowser],
  ['codec by browser', codecByBrowser],
  ['codec by PBX', codecByPbx],
  ['ICE restart', iceRestart],
  ['video', video],
];

async function codecIs({ user }: Stage, codec: string): Promise<void> {
  const seen = await user.page.codec();
  if (seen !== codec) throw new Error(`the browser receives ${seen ?? 'nothing'}, not ${codec}`);
}

/** Resolves once the count has risen by some; at once when it is not known. */
async function morePictures(count: () => Promise<number | undefined>): Promise<void> {
  const before = await count();
  while (before !== undefined && ((await count()) ?? 0) < before + 3)
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
}
