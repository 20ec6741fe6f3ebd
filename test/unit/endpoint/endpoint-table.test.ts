import assert from 'node:assert/strict';
import type { EndpointStack } from '../../../gateway/endpoint/endpoint.js';
import type { Endpoint } from '../../../gateway/endpoint/endpoint.js';
import type { EndpointFlow } from '../../../gateway/endpoint/endpoint-flow.js';
import type { EndpointIdentity } from '../../../gateway/endpoint/endpoint-identity.js';
import { EndpointTable } from '../../../gateway/endpoint/endpoint-table.js';
import { MemoryLocation } from '../../../gateway/location/memory-location.js';
import { SipFailure } from '../../../sip/failure.js';
import { silentLog } from '../../../sip/log.js';
import { createRequest, type SipMessage, type SipRequest } from '../../../sip/message/index.js';
import type { EndpointCoreOptions } from '../../../sip/ua/endpoint-core-options.js';
import { FakeClock } from '../../support/fake-clock.js';

const aor = 'sip:alice@localhost';
const graceMs = 30_000;

class FakeFlow implements EndpointFlow {
  readonly transport = 'WS';
  readonly remote = '192.0.2.1:5000';
  readonly sent: string[] = [];
  wasReplaced = false;
  constructor(
    readonly id: string,
    readonly goneAway = false,
  ) {}
  send(text: string): boolean {
    this.sent.push(text);
    return true;
  }
  moved(): void {
    this.replaced();
  }
  replaced(): void {
    this.wasReplaced = true;
  }
}

class FakeStack implements EndpointStack {
  readonly received: SipMessage[] = [];
  dialogs = 0;
  disposed = 0;
  resumed = 0;
  constructor(readonly options: EndpointCoreOptions) {}
  receive(message: SipMessage): void {
    this.received.push(message);
  }
  hasDialog(request: SipRequest): boolean {
    return this.dialogs > 0 && request.callId === 'x';
  }
  resume(): void {
    this.resumed += 1;
  }
  invite(): never {
    throw new Error('not called');
  }
  restore(): never {
    throw new Error('not called');
  }
  request(): never {
    throw new Error('not called');
  }
  sizes() {
    return { transactions: 0, dialogs: this.dialogs, legs: 0, subscriptions: 0, unsent: 0 };
  }
  dispose(): void {
    this.disposed += 1;
  }
}

const message = createRequest({
  method: 'OPTIONS',
  requestUri: aor,
  headers: [
    ['Via', 'SIP/2.0/WS x.invalid;branch=z9hG4bK1'],
    ['From', `<${aor}>;tag=1`],
    ['To', `<${aor}>`],
    ['Call-ID', 'x'],
    ['CSeq', '1 OPTIONS'],
  ],
});

const instance = (instanceId: string, of = aor): EndpointIdentity => ({
  aor: of,
  instanceId,
  contact: 'a@1.invalid:',
  contactIsRandom: true,
});
const contact = (host: string): EndpointIdentity => ({
  aor,
  instanceId: undefined,
  contact: `a@${host}:`,
  contactIsRandom: host.endsWith('.invalid'),
});
const nameless: EndpointIdentity = { aor, instanceId: undefined, contact: undefined, contactIsRandom: false };

describe('EndpointTable', () => {
  let clock: FakeClock;
  let location: MemoryLocation;
  let table: EndpointTable;
  let stacks: FakeStack[];
  let seen: string[];
  let flows: number;

  const newFlow = (): FakeFlow => new FakeFlow(`f_${(flows += 1)}`);
  const sizes = (): number[] => [table.sizes().endpoints, table.sizes().detached];
  /** Makes the endpoint's core, which then says that it has a call. */
  const busy = (endpoint: Endpoint): FakeStack => {
    endpoint.receive(message);
    const stack = stacks.at(-1);
    assert.ok(stack);
    stack.dialogs = 1;
    return stack;
  };
  const bind = (endpoint: Endpoint): void => {
    endpoint.bound = true;
    location.update(endpoint.aor, (current) => [
      ...current,
      {
        aor,
        contactUri: `sip:${endpoint.id}`,
        contactParams: '',
        path: [],
        expiresAtMs: clock.nowMs() + 600_000,
        sipCallId: 'x',
        cseq: 1,
        endpointId: endpoint.id,
      },
    ]);
  };

  beforeEach(() => {
    clock = new FakeClock();
    stacks = [];
    seen = [];
    flows = 0;
    location = new MemoryLocation({ clock, expired: () => undefined });
    table = new EndpointTable({
      graceMs,
      clock,
      log: silentLog,
      location,
      hooks: { incomingCall: () => undefined, request: () => undefined },
      events: {
        endpointResumed: ({ replaced }) => seen.push(replaced ? 'replaced' : 'resumed'),
        endpointLost: () => seen.push('lost'),
        messageRefused: ({ failure }) => seen.push(`refused ${failure.code}`),
        unregistered: ({ cause }) => seen.push(`unregistered ${cause}`),
      },
      createStack: (options) => {
        const stack = new FakeStack(options);
        stacks.push(stack);
        return stack;
      },
    });
  });

  afterEach(() => {
    table.close();
    assert.deepEqual(sizes(), [0, 0]);
    location.close();
    assert.equal(clock.pending, 0);
  });

  it('makes the SIP core with the first message and not before', () => {
    const endpoint = table.attach(newFlow(), instance('<1>'));
    assert.equal(stacks.length, 0);
    endpoint.receive(message);
    endpoint.receive(message);
    assert.equal(stacks.length, 1);
    assert.equal(stacks[0]?.received.length, 2);
  });

  it('writes to the flow that is attached, and to none when there is none', () => {
    const [first, second] = [newFlow(), newFlow()];
    const endpoint = table.attach(first, instance('<1>'));
    const { options } = busy(endpoint);
    assert.equal(options.send('one'), true);
    table.detach(endpoint, first);
    assert.equal(options.send('lost'), false);
    table.attach(second, instance('<1>'));
    assert.equal(options.send('two'), true);
    assert.deepEqual([first.sent, second.sent], [['one'], ['two']]);
    assert.equal(stacks[0]?.resumed, 1);
  });

  it('gives the same instance of the same user its endpoint back, and nobody else', () => {
    const first = newFlow();
    const endpoint = table.attach(first, instance('<1>'));
    bind(endpoint);
    table.detach(endpoint, first);
    assert.notEqual(table.attach(newFlow(), instance('<2>')), endpoint);
    assert.notEqual(table.attach(newFlow(), instance('<1>', 'sip:bob@localhost')), endpoint);
    assert.notEqual(table.attach(newFlow(), contact('1.invalid')), endpoint);
    assert.notEqual(table.attach(newFlow(), nameless), endpoint);
    assert.equal(table.attach(newFlow(), instance('<1>')), endpoint);
    assert.deepEqual(seen, ['resumed']);
  });

  it('replaces a flow that is still open, whose later end changes nothing', () => {
    const [older, newer] = [newFlow(), newFlow()];
    const endpoint = table.attach(older, instance('<1>'));
    assert.equal(table.attach(newer, instance('<1>')), endpoint);
    assert.equal(older.wasReplaced, true);
    table.detach(endpoint, older);
    assert.equal(endpoint.flow, newer);
    assert.deepEqual(sizes(), [1, 0]);
    assert.deepEqual(seen, ['replaced']);
  });

  it('takes a random contact for an instance-id, but not one that two clients may share', () => {
    const random = newFlow();
    const endpoint = table.attach(random, contact('1.invalid'));
    assert.equal(table.attach(newFlow(), contact('1.invalid')), endpoint);
    assert.equal(random.wasReplaced, true);
    const shared = newFlow();
    const other = table.attach(shared, contact('192.0.2.1'));
    assert.notEqual(table.attach(newFlow(), contact('192.0.2.1')), other);
    assert.equal(shared.wasReplaced, false);
    busy(other);
    table.detach(other, shared);
    assert.equal(table.attach(newFlow(), contact('192.0.2.1')), other);
  });

  it('keeps an endpoint for its grace, then ends its calls and removes its bindings', () => {
    const flow = newFlow();
    const endpoint = table.attach(flow, instance('<1>'));
    const stack = busy(endpoint);
    bind(endpoint);
    table.detach(endpoint, flow);
    clock.advance(graceMs - 1);
    assert.deepEqual([sizes(), stack.disposed, location.size], [[1, 1], 0, 1]);
    clock.advance(1);
    assert.deepEqual([sizes(), stack.disposed, location.size], [[0, 0], 1, 0]);
    assert.deepEqual(seen, ['lost', 'unregistered endpoint_lost']);
  });

  it('waits no longer than 10 s for a page that was left: it is reloaded by then, or closed', () => {
    const [left, lost] = [new FakeFlow('f_left', true), newFlow()];
    const gone = table.attach(left, instance('<1>'));
    const cut = table.attach(lost, instance('<2>'));
    for (const endpoint of [gone, cut]) bind(endpoint);
    table.detach(cut, lost);
    table.detach(gone, left);
    clock.advance(9_999);
    assert.deepEqual(sizes(), [2, 2]);
    clock.advance(1);
    assert.equal(table.find(gone.id), undefined);
    assert.equal(table.find(cut.id), cut);
    clock.advance(graceMs - 10_000);
    assert.deepEqual(sizes(), [0, 0]);
  });

  it('has one timer for all endpoints in grace, each of which ends in its time', () => {
    const all = [0, 1, 2].map((n) => {
      const flow = newFlow();
      const endpoint = table.attach(flow, instance(`<${n}>`));
      bind(endpoint);
      return { flow, endpoint };
    });
    for (const { flow, endpoint } of all) {
      table.detach(endpoint, flow);
      clock.advance(10_000);
    }
    assert.equal(clock.pending, 2);
    assert.deepEqual(sizes(), [2, 2]);
    table.attach(newFlow(), instance('<1>'));
    clock.advance(10_000);
    assert.deepEqual(sizes(), [2, 1]);
    clock.advance(10_000);
    assert.deepEqual(sizes(), [1, 0]);
    assert.equal(clock.pending, 1);
  });

  it('forgets at once an endpoint that has neither bindings nor calls', () => {
    const flow = newFlow();
    const endpoint = table.attach(flow, instance('<1>'));
    table.detach(endpoint, flow);
    assert.deepEqual(sizes(), [0, 0]);
    assert.deepEqual(seen, []);
  });

  it('refuses another user or another instance on a flow that is attached', () => {
    const flow = newFlow();
    const endpoint = table.attach(flow, instance('<1>'));
    for (const identity of [instance('<2>'), instance('<1>', 'sip:bob@localhost')]) {
      const refused = table.reidentify(endpoint, flow, identity);
      assert.ok(refused instanceof SipFailure && refused.code === 'auth.identity');
    }
    assert.equal(table.reidentify(endpoint, flow, instance('<1>')), endpoint);
    assert.equal(table.reidentify(endpoint, flow, nameless), endpoint);
    assert.equal(table.reidentify(endpoint, flow, contact('9.invalid')), endpoint);
  });

  it('moves a flow to its instance when it shows the instance-id only later, unless it has calls', () => {
    const [lost, back] = [newFlow(), newFlow()];
    const endpoint = table.attach(lost, instance('<1>'));
    bind(endpoint);
    table.detach(endpoint, lost);
    const interim = table.attach(back, nameless);
    assert.equal(table.reidentify(interim, back, instance('<1>')), endpoint);
    assert.equal(endpoint.flow, back);
    assert.equal(table.find(interim.id), undefined);
    const caller = newFlow();
    const calling = table.attach(caller, contact('7.invalid'));
    busy(calling);
    assert.equal(table.reidentify(calling, caller, instance('<7>')), calling);
  });

  it('gives an endpoint without instance-id back to its user by a dialog, and nobody else', () => {
    const [lost, named] = [newFlow(), newFlow()];
    const endpoint = table.attach(lost, contact('1.invalid'));
    busy(endpoint);
    assert.equal(table.attachToDialog(newFlow(), aor, message), undefined, 'its flow is still there');
    table.detach(endpoint, lost);
    assert.equal(table.attachToDialog(newFlow(), 'sip:bob@localhost', message), undefined);
    const other = createRequest({
      method: 'OPTIONS',
      requestUri: aor,
      headers: [...message.headers.entries()].map(([name, value]) => [
        name,
        name === 'Call-ID' ? 'y' : value,
      ]),
    });
    assert.equal(table.attachToDialog(newFlow(), aor, other), undefined);
    assert.equal(table.attachToDialog(newFlow(), aor, message), endpoint);
    const instanced = table.attach(named, instance('<1>'));
    busy(instanced);
    table.detach(instanced, named);
    assert.equal(table.attachToDialog(newFlow(), aor, message), undefined);
  });

  it('removes the bindings of an endpoint that went while they were being stored', () => {
    const flow = newFlow();
    const endpoint = table.attach(flow, instance('<1>'));
    table.detach(endpoint, flow);
    bind(endpoint);
    table.noteBound(endpoint, true);
    assert.equal(location.size, 0);
  });

  it('disposes of every core when it is closed', () => {
    const stack = busy(table.attach(newFlow(), instance('<1>')));
    table.close();
    table.close();
    assert.equal(stack.disposed, 1);
  });
});
