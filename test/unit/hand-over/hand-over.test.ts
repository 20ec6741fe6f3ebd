import assert from 'node:assert/strict';
import { CallController } from '../../../gateway/call/call-controller.js';
import type { Cdr } from '../../../gateway/call/call-record.js';
import { EndpointTable } from '../../../gateway/endpoint/endpoint-table.js';
import { readCallDocument } from '../../../gateway/hand-over/call-document.js';
import { HandOver } from '../../../gateway/hand-over/hand-over.js';
import { MemoryLocation } from '../../../gateway/location/memory-location.js';
import type { SharedStore } from '../../../gateway/store/shared-store.js';
import { createEvents } from '../../../gateway/telemetry/events.js';
import { Metrics } from '../../../gateway/telemetry/metrics.js';
import { failure } from '../../../sip/failure.js';
import { silentLog } from '../../../sip/log.js';
import { createPassthroughEngine } from '../../../sip/media/passthrough.js';
import type { RestorableTrunkLeg } from '../../../sip/trunk/srf.js';
import { callDocument } from '../../fuzz/stored-records.js';
import { FakeClock } from '../../support/fake-clock.js';
import { FakeCaller, settle } from '../../support/fake-legs.js';

const { call, endpoints: identities } = callDocument;
const { e_1: alice } = identities;
/** The PBX has called alice. */
const calledByPbx = {
  ...callDocument,
  call: {
    ...call,
    source: { side: 'trunk', trunk: 'office', remote: '127.0.0.1:9', media: { profile: 'plain' } },
    caller: { legId: 'l_2', dialog: { ...call.callee.dialog, role: 'caller' } },
    callee: { ...call.callee, ...call.caller, side: 'browser', place: { endpointId: 'e_1' } },
  },
};

describe('the hand-over of a call', () => {
  const events = createEvents(silentLog, new Metrics());
  let clock: FakeClock;
  let location: MemoryLocation;
  let endpoints: EndpointTable;
  let controller: CallController;
  let handOver: HandOver;
  let kept: Map<string, string>;
  let records: Cdr[];
  let trunkLegs: FakeCaller[];

  beforeEach(() => {
    clock = new FakeClock(3_000);
    [kept, records, trunkLegs] = [new Map<string, string>(), [], []];
    location = new MemoryLocation({ clock, expired: () => undefined });
    const hooks = { incomingCall: () => undefined, request: () => undefined };
    endpoints = new EndpointTable({ graceMs: 30_000, location, events, log: silentLog, clock, hooks });
    const media = createPassthroughEngine();
    controller = new CallController(
      { callsPerEndpoint: 8, newCallId: () => 'c_new', record: (cdr) => records.push(cdr) },
      {
        router: { plan: () => Promise.reject(failure('route.no_match')), isEmergency: () => false },
        anchoredMedia: media,
        browserMedia: media,
        newLegId: () => 'l_new',
        limits: { maxRingMs: 60_000, maxDurationMs: 3_600_000 },
        clock,
        events,
        changed: (changed) => handOver.changed(changed),
        defect: (thrown) => assert.fail(String(thrown)),
      },
    );
    const store: SharedStore = {
      isUp: true,
      waiting: 0,
      others: [],
      put: (_kind, key, value) => kept.set(key, value),
      remove: (_kind, key) => kept.delete(key),
      inherit: () => Promise.resolve(new Map()),
      kept: () => Promise.resolve([]),
      claimCalls: () => Promise.resolve(new Map()),
      close: () => Promise.resolve(),
    };
    handOver = new HandOver({
      ...{ store, endpoints, controller, clock, events },
      trunkSide: {
        dialogState: () => undefined,
        restore: (leg, _state, ears) => restored(leg).listening(ears),
      },
      credentialsOf: () => undefined,
      holdChannel: () => undefined,
      record: (cdr) => records.push(cdr),
    });
  });

  afterEach(async () => {
    await controller.cutAll(failure('gateway.draining'));
    endpoints.close();
    location.close();
    assert.equal(clock.pending, 0);
  });

  /** An engine has each dialog once. */
  const restored = ({ id, dialog }: RestorableTrunkLeg): TrunkLeg => {
    if (trunkLegs.some((leg) => leg.id === id)) throw failure('dialog.unknown');
    const leg = new TrunkLeg(id, 'trunk');
    leg.taken = dialog;
    trunkLegs.push(leg);
    return leg;
  };

  const takeOver = (document: object): void =>
    handOver.takeOver(new Map([[call.id, JSON.stringify(document)]]), 'earlier_process');

  it('ends a leg that was restored, and no other one in its place, when the other leg cannot be', async () => {
    takeOver({ ...calledByPbx, endpoints: {} });
    await settle();
    assert.deepEqual(
      trunkLegs.map(({ notes }) => notes),
      [['hangUp']],
    );
    assert.deepEqual(
      records.map(({ termination }) => termination.code),
      ['gateway.crashed'],
    );
    assert.equal(controller.table.size, 0);
  });

  for (const [role, document] of [
    ['caller', callDocument],
    ['callee', calledByPbx],
  ] as const) {
    it(`is written anew with the endpoint that its ${role} has here, so that it can be handed over again`, () => {
      const flow = {
        ...({ id: 'f_1', transport: 'WS', remote: '192.0.2.1:5000', goneAway: false } as const),
        ...{ send: () => true, moved: () => undefined, replaced: () => undefined },
      };
      const { id } = endpoints.attach(flow, alice);
      takeOver(document);
      const written = readCallDocument(kept.get(call.id) ?? '');
      assert.deepEqual(written?.endpoints, { [id]: alice });
      const { source, callee } = written.call;
      const place = role === 'caller' ? source : callee.place;
      assert.ok('endpointId' in place && place.endpointId === id);
    });
  }

  it('is refused once all calls are cut, so that none is left behind', async () => {
    await controller.cutAll(failure('gateway.draining'));
    takeOver(callDocument);
    await settle();
    assert.deepEqual([controller.table.size, kept.size], [0, 0]);
    assert.deepEqual(
      trunkLegs.map(({ notes }) => notes),
      [['hangUp']],
    );
  });
});

/** The leg of a PBX. */
class TrunkLeg extends FakeCaller {
  listening(listener: Parameters<FakeCaller['listen']>[0]): this {
    this.listen(listener);
    return this;
  }
}
