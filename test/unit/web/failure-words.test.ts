import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import {
  failureWords,
  microphoneWords,
  readReason,
  signInRefusal,
  tokenRefusal,
  tooManyDevices,
} from '#web/phone/words/failure-words.js';
import { hungUpNotice, missedNotice, refusedNotice } from '#web/phone/call/call-end.js';

const title = (status: number): string => failureWords(status, '').title;

describe('the words for a failed call', () => {
  it('says in plain words what the usual refusals mean', () => {
    assert.equal(title(486), 'Busy');
    assert.equal(title(600), 'Busy');
    assert.equal(title(603), 'Declined');
    assert.equal(title(480), 'Not reachable right now');
    assert.equal(title(404), 'No such number');
    assert.equal(title(408), 'No answer');
    assert.equal(title(503), 'The service is not available right now');
    assert.equal(title(488), 'No shared way to speak');
  });

  it('falls back to the class of a status that it does not know', () => {
    assert.equal(title(302), 'This number has moved');
    assert.equal(title(499), 'The call could not be set up');
    assert.equal(title(599), 'The server had a problem');
    assert.equal(title(699), 'Nobody can take the call');
    assert.equal(title(0), 'The call could not be set up');
  });

  it('keeps the status and the reason of the server as small print', () => {
    assert.equal(failureWords(486, 'On another line').detail, '486 On another line');
    assert.equal(failureWords(486, '').detail, '486');
    assert.equal(refusedNotice(488, 'No', '399 x "no codec"').detail, '488 No (399 x "no codec")');
  });
});

describe('the words for a refused sign-in', () => {
  it('blames the user name or password for 401, 403 and 407', () => {
    for (const status of [401, 403, 407]) {
      assert.equal(signInRefusal(status, 'Forbidden')?.title, 'Wrong user name or password');
    }
  });

  it('is silent when trying again may help', () => {
    for (const status of [408, 500, 503]) assert.equal(signInRefusal(status, 'x'), undefined);
  });

  it('does not blame the password for more devices than one user may have', () => {
    assert.equal(signInRefusal(403, 'Too Many Bindings'), undefined);
    assert.equal(tokenRefusal(403, 'Too Many Bindings'), undefined);
    for (const reason of ['Too Many Bindings', 'Too many registered contacts', 'Maximum Contacts Reached']) {
      assert.equal(tooManyDevices(reason), true, reason);
    }
    for (const reason of ['Forbidden', 'Too many failed attempts', '']) {
      assert.equal(tooManyDevices(reason), false, reason);
    }
  });
});

describe('the words for a microphone that cannot be opened', () => {
  it('tells a blocked, a missing and a busy microphone apart', () => {
    const words = (name: string): string => microphoneWords(new DOMException('x', name)).title;
    assert.equal(words('NotAllowedError'), 'The microphone is blocked');
    assert.equal(words('NotFoundError'), 'No microphone found');
    assert.equal(words('NotReadableError'), 'The microphone cannot be used');
  });

  it('passes any other error on as small print', () => {
    assert.equal(microphoneWords(new Error('needs https')).detail, 'needs https');
    assert.equal(microphoneWords('odd').detail, '');
  });
});

describe('the reason of a hang-up', () => {
  it('is read from a Reason header with a SIP cause, in any order and case', () => {
    assert.deepEqual(readReason('SIP;cause=200;text="Call completed elsewhere"'), {
      cause: 200,
      text: 'Call completed elsewhere',
    });
    assert.deepEqual(readReason('sip ;text="gone" ; cause = 503'), { cause: 503, text: 'gone' });
  });

  it('is nothing without a SIP cause', () => {
    for (const header of [undefined, '', 'Q.850;cause=16', 'SIP', 'SIP;cause=x']) {
      assert.equal(readReason(header), undefined);
    }
  });

  it('tells a call that was cut off from one that a person ended', () => {
    assert.deepEqual(hungUpNotice(undefined, 61_000), { tone: 'info', title: 'Call ended', detail: '1:01' });
    assert.equal(hungUpNotice('Q.850;cause=16;text="Normal"', 0).title, 'Call ended');
    assert.equal(hungUpNotice('SIP;cause=408;text="No media"', 0).title, 'The call was cut off');
  });

  it('tells a missed call from one that was answered elsewhere', () => {
    const bob = { name: 'Bob', address: '12' };
    assert.equal(missedNotice(bob, undefined).title, 'Missed call from Bob');
    assert.equal(missedNotice(bob, 'SIP;cause=200;text="x"').title, 'Answered on another device');
  });
});
