import assert from 'node:assert/strict';
import { SipFailure } from '../../../sip/failure.js';
import { silentLog } from '../../../sip/log.js';
import { systemClock } from '../../../sip/clock.js';
import { connectTrunkStack, type TrunkStack } from '../../../sip/trunk/srf.js';
import { EventLog } from '../../support/event-log.js';
import { ScriptedEngine } from '../../support/scripted-engine.js';
import { sdp } from '../../support/sip-peer.js';
import { LegLog, listenerFor, type StackEvents } from '../../support/trunk-rig.js';

const target = { requestUri: 'sip:600@192.0.2.1:5060' };
const parties = { from: { uri: 'sip:1001@pbx.example' }, to: { uri: 'sip:1001@pbx.example' }, headers: [] };

/** An engine that is not ours is a drachtio-server: see docs/drachtio.md. */
describe('what drachtio-server cannot do', () => {
  let engine: ScriptedEngine;
  let stack: TrunkStack;
  let events: EventLog<StackEvents>;

  beforeEach(async () => {
    engine = await ScriptedEngine.listen();
    events = new EventLog();
    const address = { host: '127.0.0.1', port: engine.port, secret: 'secret' };
    stack = connectTrunkStack(address, listenerFor(events), silentLog, systemClock);
    await events.next('connected');
  });

  afterEach(async () => {
    await stack.close();
    await engine.close();
  });

  it('it is sent no `Contact: *`, of which it would die', async () => {
    const sent = stack.request('REGISTER', target, { ...parties, contact: '*' });
    await assert.rejects(sent, (thrown) => thrown instanceof SipFailure && thrown.status === 501);
    assert.deepEqual(engine.frames, []);
  });

  it('an INVITE of ours that a proxy sends back is refused: it would take both ends for one', async () => {
    stack.invite(target, { legId: 'l_1', sdp: sdp(8000), ...parties }, new LegLog());
    const ours = await engine.next('INVITE');
    const field = (name: string): string =>
      new RegExp(`^${name}: (.+)$`, 'mi').exec(ours.text)?.[1]?.trim() ?? '';
    const back = [
      'INVITE sip:1002@127.0.0.1:5060 SIP/2.0',
      'Via: SIP/2.0/UDP 127.0.0.1:5091;branch=z9hG4bK1',
      'Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK2',
      `From: ${field('From')}`,
      `To: ${field('To')}`,
      `Call-ID: ${field('call-id')}`,
      'CSeq: 1 INVITE',
      'Contact: <sip:1001@127.0.0.1:5060>',
      'Content-Type: application/sdp',
      `Content-Length: ${sdp(8000).length}`,
      '',
      sdp(8000),
    ];
    engine.sip('t1', '', back.join('\r\n'));
    const refused = await engine.next('SIP/2.0 482');
    assert.match(refused.text, /^SIP\/2\.0 482/);
  });
});
