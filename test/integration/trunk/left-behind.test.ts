import assert from 'node:assert/strict';
import { SipFailure } from '../../../sip/failure.js';
import { silentLog } from '../../../sip/log.js';
import { systemClock } from '../../../sip/clock.js';
import { connectTrunkStack, type DialogNotes, type TrunkStack } from '../../../sip/trunk/srf.js';
import { EventLog } from '../../support/event-log.js';
import { FakeClock } from '../../support/fake-clock.js';
import { ScriptedEngine } from '../../support/scripted-engine.js';
import { sdp } from '../../support/sip-peer.js';
import { requestBytes } from '../../support/sip-text.js';
import { LegLog, listenerFor, type StackEvents } from '../../support/trunk-rig.js';

const isCode = (code: string) => (thrown: unknown) => thrown instanceof SipFailure && thrown.code === code;

/** What the stack tells of the dialogs that the engine holds, and how it ends those that nobody has any more. */
describe('what the engine holds for the trunk stack', () => {
  let engine: ScriptedEngine;
  let stack: TrunkStack;
  let events: EventLog<StackEvents>;
  let noted: string[];

  beforeEach(async () => {
    engine = await ScriptedEngine.listen();
    events = new EventLog();
    noted = [];
    const notes: DialogNotes = {
      invited: (id, { transactionId, sentBy }) => noted.push(`invited ${id} ${transactionId} ${sentBy}`),
      began: (id) => noted.push(`began ${id}`),
      ended: (id) => noted.push(`ended ${id}`),
      left: (id) => noted.push(`left ${id}`),
    };
    const address = { host: '127.0.0.1', port: engine.port, secret: 'secret' };
    stack = connectTrunkStack(address, listenerFor(events), silentLog, systemClock, notes);
    await events.next('connected');
  });
  afterEach(async () => {
    await stack.close();
    await engine.close();
  });

  /** Rings somebody; gives the dialog's id and the INVITE as the engine sent it. */
  const ring = async (log: LegLog) => {
    const parties = { from: { uri: 'sip:a@x' }, to: { uri: 'sip:b@x' }, headers: [] };
    stack.invite({ requestUri: 'sip:600@192.0.2.1' }, { legId: 'l_1', sdp: sdp(7000), ...parties }, log);
    const sent = await engine.next('INVITE');
    const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'im').exec(sent.text)?.[1] ?? '';
    const lines = [
      `From: ${field('from')}`,
      `Call-ID: ${field('call-id')}`,
      'CSeq: 7 INVITE',
      'Via: SIP/2.0/UDP x;branch=z9',
    ];
    const text = ['INVITE sip:600@192.0.2.1 SIP/2.0', ...lines, 'To: <sip:b@x>', '', ''].join('\r\n');
    engine.requestSent(sent, 't1', text);
    const dialogId = `${field('call-id')};from-tag=${/;tag=([^;]+)/.exec(field('from'))?.[1] ?? ''}`;
    const answer = (status: string): void =>
      engine.sip('t1', dialogId, [`SIP/2.0 ${status}`, ...lines, 'To: <sip:b@x>;tag=b', '', ''].join('\r\n'));
    answer('180 Ringing');
    await log.next('progress');
    return { dialogId, answer };
  };

  it('is told: an INVITE that was refused', async () => {
    const log = new LegLog();
    const { dialogId, answer } = await ring(log);
    answer('486 Busy Here');
    await log.next('failed');
    assert.deepEqual(noted, [`invited ${dialogId} t1 us`, `ended ${dialogId}`]);
  });

  it('is told: INVITEs both ways that a lost connection leaves', async () => {
    const { dialogId } = await ring(new LegLog());
    engine.sip('t2', '', requestBytes('INVITE', { 'Content-Type': 'application/sdp' }, sdp(6000)).toString());
    await events.next('call');
    engine.cut();
    await events.next('disconnected');
    assert.deepEqual(noted.sort(), [
      `invited ${dialogId} t1 us`,
      'invited call-1;from-tag=f1 t2 peer',
      `left ${dialogId}`,
      'left call-1;from-tag=f1',
    ]);
  });

  it('is ended: an INVITE of ours by CANCEL, in its transaction', async () => {
    const ended = stack.endLeftInvite({ transactionId: 't7', sentBy: 'us' });
    const frame = await engine.next('CANCEL');
    assert.deepEqual(frame.tokens.slice(0, 2), ['sip', 't7']);
    assert.match(frame.text, /^Reason: SIP;cause=503/m);
    engine.requestSent(frame, 't8', frame.text);
    assert.equal(await ended, 'CANCEL');
    assert.equal(stack.sizes().requests, 0);
  });

  it('is ended: an INVITE of the peer by 503 with Retry-After', async () => {
    const ended = stack.endLeftInvite({ transactionId: 't7', sentBy: 'peer' });
    const frame = await engine.next('SIP/2.0 503');
    assert.deepEqual(frame.tokens.slice(0, 2), ['sip', 't7']);
    assert.match(frame.text, /^Retry-After: 5$/m);
    engine.responseSent(frame, 't7', '', frame.text);
    assert.equal(await ended, '503 Service Unavailable');
  });

  it('is ended: a dialog by BYE', async () => {
    const ended = stack.endLeftDialog('call-1;from-tag=f1');
    const frame = await engine.next('BYE');
    assert.deepEqual(frame.tokens.slice(0, 3), ['sip', '', 'call-1;from-tag=f1']);
    const bye = requestBytes('BYE').toString();
    engine.requestSent(frame, 't9', bye);
    engine.sip('t9', 'call-1;from-tag=f1', bye.replace(/^BYE.*/, 'SIP/2.0 200 OK'));
    assert.deepEqual(await ended, { status: 200, reason: 'OK' });
    assert.deepEqual(stack.sizes(), { legs: 0, requests: 0, dialogs: 0, transactions: 0 });
  });

  it('is given up when the engine says nothing', async () => {
    const clock = new FakeClock();
    const quiet = connectTrunkStack(
      { host: '127.0.0.1', port: engine.port, secret: 'secret' },
      listenerFor(events),
      silentLog,
      clock,
    );
    await events.next('connected');
    const ended = assert.rejects(
      quiet.endLeftInvite({ transactionId: 't7', sentBy: 'us' }),
      isCode('trunk.timeout'),
    );
    await engine.next('CANCEL');
    clock.advance(5_000);
    await ended;
    assert.equal(quiet.sizes().requests, 0);
    await quiet.close();
  });

  it('is unknown to the engine, or the engine goes away', async () => {
    const unknown = stack.endLeftInvite({ transactionId: 't7', sentBy: 'us' });
    engine.refuse(await engine.next('CANCEL'), 'unable to cancel unknown transaction id: t7');
    await assert.rejects(unknown, isCode('dialog.unknown'));
    const open = [
      stack.endLeftInvite({ transactionId: 't7', sentBy: 'us' }),
      stack.endLeftDialog('call-1;from-tag=f1'),
    ].map((ended) => assert.rejects(ended, isCode('trunk.engine_away')));
    await engine.next('CANCEL');
    engine.cut();
    await Promise.all(open);
    await assert.rejects(stack.endLeftDialog('x'), isCode('trunk.engine_away'));
    assert.deepEqual(stack.sizes(), { legs: 0, requests: 0, dialogs: 0, transactions: 0 });
  });
});
