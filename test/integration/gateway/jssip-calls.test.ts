import assert from 'node:assert/strict';
import { passwordOf, startGateway, type Gateway } from '../../support/gateway.js';
import { idle } from '../../support/idle.js';
import { happens, JsSipClient, media, type JsSipSession } from '../../support/ua-jssip-client.js';

describe('JsSIP through the gateway', () => {
  let gateway: Gateway;
  let alice: JsSipClient;
  let bob: JsSipClient;

  beforeEach(async () => {
    gateway = await startGateway();
    alice = await JsSipClient.start('alice', gateway.wsUrl, passwordOf('alice'));
    bob = await JsSipClient.start('bob', gateway.wsUrl, passwordOf('bob'));
  });

  afterEach(async () => {
    alice.stop();
    bob.stop();
    await gateway.close();
  });

  const connect = async (): Promise<{ calling: JsSipSession; called: JsSipSession }> => {
    const calling = alice.call();
    const confirmed = happens(calling, 'confirmed');
    const called = await bob.sessions.first(() => true);
    const accepted = happens(called, 'confirmed');
    called.answer(media);
    await Promise.all([confirmed, accepted]);
    return { calling, called };
  };

  it('registers with digest, calls and is called', async () => {
    const { calling, called } = await connect();
    assert.equal(called.direction, 'incoming');
    const ended = happens(called, 'ended');
    calling.terminate();
    assert.equal((await ended).originator, 'remote');
    await idle(gateway);
  });

  it('has its session-timer UPDATE answered on either side', async () => {
    const { calling, called } = await connect();
    let broken: string | undefined;
    for (const session of [calling, called])
      session.on('ended', ({ cause }) => (broken = cause ?? 'unknown'));
    calling._sendUpdate();
    called._sendUpdate();
    const info = new Promise<void>((resolve) => called.on('newInfo', () => resolve()));
    calling.sendInfo('text/plain', 'lunch?');
    await info;
    assert.equal(broken, undefined);
    calling.terminate();
    await idle(gateway);
  });

  it('holds and resumes', async () => {
    const { calling, called } = await connect();
    await new Promise<void>((resolve) => {
      calling.hold({}, resolve);
    });
    await new Promise<void>((resolve) => {
      calling.unhold({}, resolve);
    });
    const ended = happens(calling, 'ended');
    called.terminate();
    await ended;
    await idle(gateway);
  });

  it('shows a declined call as such', async () => {
    const calling = alice.call();
    const failed = happens(calling, 'failed');
    const called = await bob.sessions.first(() => true);
    called.terminate({ status_code: 603 });
    assert.equal((await failed).cause, 'Rejected');
    await idle(gateway);
  });

  it('cancels while it rings', async () => {
    const calling = alice.call();
    const called = await bob.sessions.first(() => true);
    const failed = happens(called, 'failed');
    calling.terminate();
    assert.equal((await failed).cause, 'Canceled');
    await idle(gateway);
  });
});
