import assert from 'node:assert/strict';
import { once } from 'node:events';
import JsSIP from 'jssip';
import { Messager, Registerer, RegistererState, UserAgent } from 'sip.js';
import { WebSocket } from 'ws';
import { startEdgeFixture, type EdgeFixture } from '../../support/edge-fixture.js';

const aor = 'sip:alice@localhost';

describe('sign-in of the clients that people use', () => {
  let fixture: EdgeFixture;
  const before = Object.getOwnPropertyDescriptor(globalThis, 'WebSocket');

  beforeEach(async () => {
    Object.defineProperty(globalThis, 'WebSocket', { value: WebSocket, configurable: true });
    fixture = await startEdgeFixture();
  });

  afterEach(async () => {
    await fixture.close();
    if (before === undefined) Reflect.deleteProperty(globalThis, 'WebSocket');
    else Object.defineProperty(globalThis, 'WebSocket', before);
    assert.deepEqual(fixture.log.errors, []);
    assert.deepEqual(
      Object.entries(fixture.sizes()).filter(([, size]) => size > 0),
      [],
    );
  });

  const startSipJs = async (): Promise<UserAgent> => {
    const uri = UserAgent.makeURI(aor);
    assert.ok(uri);
    const agent = new UserAgent({
      uri,
      authorizationUsername: 'alice',
      authorizationPassword: 'wonderland',
      logLevel: 'error',
      transportOptions: { server: fixture.url },
    });
    await agent.start();
    return agent;
  };

  const reach = async (registerer: Registerer, wanted: RegistererState): Promise<void> => {
    while (registerer.state !== wanted) {
      await new Promise<void>((resolve) =>
        registerer.stateChange.addListener(() => resolve(), { once: true }),
      );
    }
  };

  it('registers sip.js, refreshes it and unregisters all its contacts', async () => {
    const agent = await startSipJs();
    const registerer = new Registerer(agent, { expires: 120 });
    await registerer.register();
    await reach(registerer, RegistererState.Registered);
    assert.equal(fixture.location.find(aor).length, 1);
    await new Promise<void>((resolve) => {
      void registerer.register({ requestDelegate: { onAccept: () => resolve() } });
    });
    assert.equal(fixture.events.of('registered')[1]?.refreshed, true);
    await registerer.unregister({ all: true });
    await reach(registerer, RegistererState.Unregistered);
    assert.equal(fixture.location.size, 0);
    await agent.stop();
  });

  it('takes a MESSAGE of sip.js that never registered, after a challenge', async () => {
    const agent = await startSipJs();
    const target = UserAgent.makeURI('sip:bob@localhost');
    assert.ok(target);
    const status = await new Promise<number | undefined>((resolve) => {
      const settle = ({ message }: { message: { statusCode?: number | undefined } }): void =>
        resolve(message.statusCode);
      void new Messager(agent, target, 'hello').message({
        requestDelegate: { onAccept: settle, onReject: settle },
      });
    });
    assert.equal(status, 200);
    assert.equal(fixture.events.of('challenged').length, 1);
    assert.equal(fixture.location.size, 0);
    await agent.stop();
    await fixture.events.seen('flowClosed');
  });

  it('registers JsSIP, which comes back to its endpoint with a new socket, and unregisters it', async () => {
    const agent = new JsSIP.UA({
      sockets: [new JsSIP.WebSocketInterface(fixture.url)],
      uri: aor,
      password: 'wonderland',
      register_expires: 120,
      connection_recovery_min_interval: 1,
      connection_recovery_max_interval: 1,
    });
    const registered = once(agent as never, 'registered');
    agent.start();
    await registered;
    const [binding] = fixture.location.find(aor);
    assert.match(binding?.instanceId ?? '', /^<urn:uuid:/);
    const again = once(agent as never, 'registered');
    for (const flow of fixture.edge.flows.all()) flow.terminate();
    await again;
    assert.equal(fixture.location.find(aor)[0]?.endpointId, binding?.endpointId);
    assert.equal(fixture.location.size, 1);
    const unregistered = once(agent as never, 'unregistered');
    agent.unregister({ all: true });
    await unregistered;
    assert.equal(fixture.location.size, 0);
    agent.stop();
    await fixture.events.seen('flowClosed', 2);
  });
});
