import assert from 'node:assert/strict';
import { Call } from '../../gateway/call/call.js';
import type { Cdr } from '../../gateway/call/call-record.js';
import type { CallSource, CalleeTarget, RoutePlan } from '../../gateway/call/ports.js';
import type { CallEvents } from '../../gateway/telemetry/call-events.js';
import type { SipFailure } from '../../sip/failure.js';
import type { IncomingCall } from '../../sip/leg.js';
import { FakeClock } from './fake-clock.js';
import { FakeCallee, FakeCaller, FakeMedia, noHeaders, settle } from './fake-legs.js';

const browser: CallSource = { side: 'browser', aor: 'sip:alice@localhost', endpointId: 'e_1' };

/** A description with one audio line. */
export const audioSdp = (direction: string): string =>
  [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    'm=audio 4000 RTP/AVP 0',
    `a=${direction}`,
    '',
  ].join('\r\n');

/** A call between fakes: an INVITE of a browser's, and callees that do as the test says. */
export class Scene {
  readonly clock = new FakeClock();
  readonly caller = new FakeCaller('l_caller', 'browser');
  readonly callees: FakeCallee[] = [];
  readonly anchored = new FakeMedia('anchored');
  readonly direct = new FakeMedia('direct');
  readonly events: string[] = [];
  readonly defects: unknown[] = [];
  cdr: Cdr | undefined;
  call: Call;

  constructor(
    public plan: RoutePlan | SipFailure,
    options: { sdp?: string | undefined } = { sdp: 'v=0 offer' },
  ) {
    let legs = 0;
    const incoming: IncomingCall = {
      leg: this.caller,
      requestUri: 'sip:600@localhost',
      from: { uri: 'sip:alice@localhost' },
      to: { uri: 'sip:600@localhost' },
      sdp: options.sdp,
      headers: noHeaders,
    };
    const note = (name: string) => () => this.events.push(name);
    const events: CallEvents = {
      callStarted: note('started'),
      callRouted: note('routed'),
      callAttempt: note('attempt'),
      callAttemptFailed: ({ failure: why }) => this.events.push(`attempt failed: ${why.code}`),
      callProgress: note('progress'),
      callAnswered: note('answered'),
      callHeld: ({ by }) => this.events.push(`held by ${by}`),
      callResumed: ({ by }) => this.events.push(`resumed by ${by}`),
      callReofferRefused: ({ by }) => this.events.push(`re-offer of ${by} refused`),
      callQuality: note('quality'),
      callAbandoned: note('abandoned'),
      callToneLost: note('tone lost'),
      callTrickled: note('trickled'),
      callEnded: note('ended'),
      callRefused: note('refused'),
    };
    this.call = new Call('c_1', incoming, browser, {
      router: {
        plan: () => (this.plan instanceof Error ? Promise.reject(this.plan) : Promise.resolve(this.plan)),
        isEmergency: () => false,
      },
      anchoredMedia: this.anchored,
      browserMedia: this.direct,
      newLegId: () => `l_${(legs += 1)}`,
      limits: { maxRingMs: 60_000, maxDurationMs: 3_600_000 },
      clock: this.clock,
      events,
      ended: (_call, cdr) => {
        this.cdr = cdr;
      },
      changed: () => undefined,
      defect: (thrown) => this.defects.push(thrown),
    });
  }

  async start(): Promise<void> {
    this.call.start();
    await settle();
  }

  callee(index = 0): FakeCallee {
    const callee = this.callees[index];
    assert.ok(callee, `no callee ${index} was invited`);
    return callee;
  }

  /** A target whose callee lands in `callees`. */
  target(side: 'browser' | 'trunk', label: string): CalleeTarget {
    return {
      side,
      label,
      media: { profile: side === 'trunk' ? 'plain' : 'webrtc' },
      from: { uri: 'sip:alice@localhost' },
      to: { uri: 'sip:600@pbx' },
      headers: [],
      invite: (invitation, listener) => {
        const callee = new FakeCallee(side, invitation, listener);
        this.callees.push(callee);
        return callee;
      },
    };
  }

  assertNothingLeft(): void {
    assert.equal(this.call.state, 'ended');
    assert.equal(this.anchored.size + this.direct.size, 0, 'media sessions are left');
    assert.equal(this.clock.pending, 0, 'timers are left');
    assert.deepEqual(this.defects, []);
    assert.equal(this.events.filter((name) => name === 'ended').length, 1);
  }
}

/** A scene whose plan is made of targets of its own. */
export function sceneWith(
  stages: (scene: Scene) => CalleeTarget[][],
  options?: { sdp?: string | undefined },
): Scene {
  const plan: { route: string; stages: CalleeTarget[][] } = { route: 'test', stages: [] };
  const scene = new Scene(plan, options);
  plan.stages.push(...stages(scene));
  return scene;
}

/** A call to a trunk. */
export const toTrunk = (options?: { sdp?: string | undefined }): Scene =>
  sceneWith((scene) => [[scene.target('trunk', 'office')]], options);

/** A call that is up; `isNew`: it has not been started yet. */
export async function established(scene = toTrunk(), isNew = true): Promise<Scene> {
  if (isNew) await scene.start();
  scene.callee().answer();
  await settle();
  scene.caller.acknowledge();
  await settle();
  assert.equal(scene.call.state, 'established');
  return scene;
}
