import assert from 'node:assert/strict';
import type { TrunkTarget } from '../../sip/trunk/srf.js';
import { Baresip } from '../support/baresip.js';
import { Kamailio } from '../support/kamailio.js';
import { requirePeer } from '../support/peers.js';
import { TonePhone } from '../support/tone-phone.js';
import { TrunkRig, type LegLog } from '../support/trunk-rig.js';

const ourHz = 1000;
const theirHz = 440;

describe('trunk through Kamailio to baresip', function () {
  this.timeout(40_000);
  let rig: TrunkRig;
  let kamailio: Kamailio;
  let phone: Baresip;
  let media: TonePhone;

  before(async function () {
    const program = requirePeer(this, 'kamailio');
    const phoneProgram = requirePeer(this, 'baresip');
    rig = await TrunkRig.start();
    const users = { bob: 'bob-secret', gw: 'gw-secret' };
    const gateway = { numbers: ['alice', '+15551230000'], address: `127.0.0.1:${rig.port}` };
    kamailio = await Kamailio.start({ program, users, gateway });
    const account = { user: 'bob', password: users.bob, registrar: kamailio.address };
    phone = await Baresip.start({ program: phoneProgram, ...account, hz: theirHz });
  });
  beforeEach(async () => {
    media = await TonePhone.start(ourHz);
  });
  afterEach(() => media.close());
  after(async () => {
    await phone?.close();
    await kamailio?.close();
    await rig?.close();
  });

  const target = (user: string, password = 'gw-secret'): TrunkTarget => ({
    requestUri: `sip:${user}@${kamailio.address}`,
    nextHop: kamailio.uri,
    auth: { username: 'gw', password },
  });

  const call = (user: string, password?: string) =>
    rig.invite(target(user, password), {
      sdp: media.sdp(),
      from: { uri: `sip:gw@${kamailio.address}`, displayName: 'Gateway' },
      to: { uri: `sip:${user}@${kamailio.address}` },
    });

  async function nothingLeft(log: LegLog): Promise<void> {
    await phone.event('CALL_CLOSED');
    assert.equal(log.seen.filter((name) => name === 'ended' || name === 'failed').length, 1);
    assert.deepEqual(rig.stack.sizes(), { legs: 0, requests: 0, dialogs: 0, transactions: 0 });
  }

  describe('calling the phone', () => {
    it('answers the challenge, rings, talks both ways and hangs up', async () => {
      const { leg, log } = call('bob');
      assert.match((await phone.event('CALL_INCOMING')).peeruri ?? '', /^sip:gw@/);
      assert.equal((await log.next('progress')).status, 180);
      phone.accept();
      const answer = await log.next('answered');
      answer.ack();
      await phone.event('CALL_ESTABLISHED');
      media.speakTo(answer.sdp);
      await Promise.all([media.waitForTone(theirHz), phone.waitForTone(ourHz)]);
      leg.hangUp();
      assert.deepEqual(await log.next('ended'), { cause: 'local' });
      await nothingLeft(log);
    });

    it('hears the phone hang up', async () => {
      const { log } = call('bob');
      await phone.event('CALL_INCOMING');
      phone.accept();
      (await log.next('answered')).ack();
      await phone.event('CALL_ESTABLISHED');
      phone.hangUp();
      assert.equal((await log.next('ended')).cause, 'remote');
      await nothingLeft(log);
    });

    it('is cancelled while it rings', async () => {
      const { leg, log } = call('bob');
      await phone.event('CALL_INCOMING');
      await log.next('progress');
      leg.hangUp();
      assert.deepEqual(await log.next('ended'), { cause: 'local' });
      await nothingLeft(log);
    });

    it('hears that the phone declines', async () => {
      const { log } = call('bob');
      await phone.event('CALL_INCOMING');
      phone.hangUp();
      const { failure } = await log.next('failed');
      assert.deepEqual([failure.code, failure.status], ['upstream.refused', 486]);
      await nothingLeft(log);
    });

    it('holds and resumes the phone', async () => {
      const { leg, log } = call('bob');
      await phone.event('CALL_INCOMING');
      phone.accept();
      const answer = await log.next('answered');
      answer.ack();
      media.speakTo(answer.sdp);
      await media.waitForTone(theirHz);
      const held = await leg.reoffer(media.sdp('sendonly'));
      held.ack();
      assert.match(held.sdp ?? '', /^a=recvonly\r?$/m);
      const resumed = await leg.reoffer(media.sdp('sendrecv'));
      resumed.ack();
      assert.match(resumed.sdp ?? '', /^a=sendrecv\r?$/m);
      await media.waitForTone(theirHz);
      leg.hangUp();
      await log.next('ended');
      await nothingLeft(log);
    });

    it('is held and resumed by the phone', async () => {
      const { leg, log } = call('bob');
      await phone.event('CALL_INCOMING');
      phone.accept();
      (await log.next('answered')).ack();
      await phone.event('CALL_ESTABLISHED');
      for (const [act, offered, answered] of [
        ['hold', 'sendonly', 'recvonly'],
        ['resume', 'sendrecv', 'sendrecv'],
      ] as const) {
        phone[act]();
        const reoffer = await log.next('reoffer');
        assert.match(reoffer.sdp ?? '', new RegExp(`^a=${offered}\\r?$`, 'm'));
        await reoffer.accept(media.sdp(answered));
      }
      leg.hangUp();
      await log.next('ended');
      await nothingLeft(log);
    });

    it('gets digits that the phone sends, and sends it some', async () => {
      const { leg, log } = call('bob');
      await phone.event('CALL_INCOMING');
      phone.accept();
      const answer = await log.next('answered');
      answer.ack();
      await phone.event('CALL_ESTABLISHED');
      media.speakTo(answer.sdp);
      phone.sendDigits('5');
      await media.waitForDigits('5');
      media.hush();
      media.sendDigit('9', answer.sdp);
      assert.equal((await phone.event('CALL_DTMF_START')).param, '9');
      leg.hangUp();
      await log.next('ended');
      await nothingLeft(log);
    });

    it('says that the credentials are wrong', async () => {
      const { log } = call('bob', 'wrong');
      assert.equal((await log.next('failed')).failure.code, 'trunk.auth');
    });

    it('says that the phone is not there', async () => {
      const { log } = call('nobody');
      assert.equal((await log.next('failed')).failure.status, 404);
    });
  });

  describe('called by the phone', () => {
    it('answers, talks both ways and is hung up', async () => {
      phone.dial(`sip:+15551230000@${kamailio.address}`);
      const { call: incoming, leg: log, source } = await rig.events.next('call');
      assert.equal(source.port, kamailio.port);
      assert.match(incoming.requestUri, /^sip:\+15551230000@/);
      assert.match(incoming.from.uri, /^sip:bob@/);
      incoming.leg.progress(180, 'Ringing');
      await phone.event('CALL_RINGING');
      media.speakTo(incoming.sdp);
      await incoming.leg.answer(media.sdp());
      await phone.event('CALL_ESTABLISHED');
      await Promise.all([media.waitForTone(theirHz), phone.waitForTone(ourHz)]);
      phone.hangUp();
      assert.equal((await log.next('ended')).cause, 'remote');
      await nothingLeft(log);
    });

    it('hangs up', async () => {
      phone.dial(`sip:alice@${kamailio.address}`);
      const { call: incoming, leg: log } = await rig.events.next('call');
      await incoming.leg.answer(media.sdp());
      await phone.event('CALL_ESTABLISHED');
      incoming.leg.hangUp();
      assert.deepEqual(await log.next('ended'), { cause: 'local' });
      await nothingLeft(log);
    });

    it('is cancelled while it rings', async () => {
      phone.dial(`sip:alice@${kamailio.address}`);
      const { call: incoming, leg: log } = await rig.events.next('call');
      incoming.leg.progress(180, 'Ringing');
      await phone.event('CALL_RINGING');
      phone.hangUp();
      assert.equal((await log.next('ended')).cause, 'remote');
      await nothingLeft(log);
    });
  });
});
