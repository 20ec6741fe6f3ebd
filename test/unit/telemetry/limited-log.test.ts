import assert from 'node:assert/strict';
import { limitedLog } from '../../../gateway/telemetry/limited-log.js';
import type { Log } from '../../../sip/log.js';
import { FakeClock } from '../../support/fake-clock.js';

describe('limitedLog', () => {
  let clock: FakeClock;
  let lines: string[];
  let log: Log;

  beforeEach(() => {
    clock = new FakeClock();
    lines = [];
    const write =
      (level: string) =>
      (_fields: object, message: string): void =>
        void lines.push(`${level} ${message}`);
    const all = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
    log = limitedLog(all, clock, { perMinute: 2, maxSubjects: 3 });
  });

  const refused = (remote: string, message = remote): void =>
    log.warn({ event: 'message.refused', remote }, message);

  it('writes so many lines of an event about an address, whatever the port', () => {
    for (const port of [1, 2, 3]) refused(`192.0.2.1:${port}`);
    assert.deepEqual(lines, ['warn 192.0.2.1:1', 'warn 192.0.2.1:2', 'debug 192.0.2.1:3']);
  });

  it('counts each event and each address by itself', () => {
    for (const port of [1, 2]) refused(`192.0.2.1:${port}`);
    refused('[2001:db8::1]:5060');
    log.info({ event: 'flow.opened', remote: '192.0.2.1:4' }, 'opened');
    assert.ok(lines.every((line) => !line.startsWith('debug')));
  });

  it('counts lost tones by call, and no other event of a call', () => {
    for (const callId of ['c_1', 'c_1', 'c_1', 'c_2'])
      log.warn({ event: 'call.tone_lost', callId }, `lost in ${callId}`);
    for (const by of ['a', 'b', 'c']) log.info({ event: 'call.held', callId: 'c_1' }, `held by ${by}`);
    assert.deepEqual(lines, [
      'warn lost in c_1',
      'warn lost in c_1',
      'debug lost in c_1',
      'warn lost in c_2',
      'info held by a',
      'info held by b',
      'info held by c',
    ]);
  });

  it('says after a minute how many were not written, and begins anew', () => {
    for (const port of [1, 2, 3, 4]) refused(`192.0.2.1:${port}`);
    lines.length = 0;
    clock.advance(60_000);
    refused('192.0.2.1:5');
    assert.deepEqual(lines, [
      'warn 2 more lines of message.refused about 192.0.2.1 in a minute were not written',
      'warn 192.0.2.1:5',
    ]);
  });

  it('says nothing of those that kept to it, and remembers nobody for longer', () => {
    refused('192.0.2.1:1');
    clock.advance(30_000);
    refused('192.0.2.2:1');
    clock.advance(60_000);
    assert.deepEqual(lines, ['warn 192.0.2.1:1', 'warn 192.0.2.2:1']);
  });

  it('takes too many addresses together', () => {
    for (const host of [1, 2, 3, 4, 5, 6]) refused(`192.0.2.${host}:1`);
    assert.deepEqual(lines.slice(3), ['warn 192.0.2.4:1', 'warn 192.0.2.5:1', 'debug 192.0.2.6:1']);
  });

  it('limits a user as it does an address', () => {
    for (const call of [1, 2, 3]) log.warn({ event: 'call.refused', who: 'sip:a@b' }, `call ${call}`);
    assert.deepEqual(lines, ['warn call 1', 'warn call 2', 'debug call 3']);
  });

  it('lets errors pass, and what is about nobody', () => {
    for (const count of [1, 2, 3]) {
      log.error({ event: 'defect', remote: '192.0.2.1:1' }, `error ${count}`);
      log.info({ event: 'reloaded' }, `info ${count}`);
    }
    assert.ok(lines.every((line) => !line.startsWith('debug')));
  });
});
