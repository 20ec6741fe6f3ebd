import assert from 'node:assert/strict';
import { StrangerWatch } from '../../../gateway/trunk/stranger-watch.js';
import { FakeClock } from '../../support/fake-clock.js';

const minute = 60_000;

describe('stranger watch', () => {
  let clock: FakeClock;
  let reported: string[];
  let counted: string[];
  let told: string[];
  let watch: StrangerWatch;

  beforeEach(() => {
    clock = new FakeClock();
    reported = [];
    counted = [];
    told = [];
    watch = new StrangerWatch(
      {
        strangerTurnedAway: (event) => {
          counted.push(`${event.method} ${event.transport} ${event.answer}`);
          if (event.reported) reported.push(event.remote);
        },
        strangerPersists: ({ address = 'others', requests }) => told.push(`${address} ${requests}`),
      },
      clock,
      'silence',
      3,
    );
  });

  const note = (address: string, method: string | undefined = 'OPTIONS', transport = 'udp') =>
    watch.note({ method, transport, remote: { address, port: 5060 } });

  it('counts each request, and reports the first of each address', () => {
    note('192.0.2.1');
    note('192.0.2.1', 'REGISTER', 'tcp');
    note('2001:db8::1', 'INVITE', 'tls');
    assert.deepEqual(counted, ['OPTIONS udp silence', 'REGISTER tcp silence', 'INVITE tls silence']);
    assert.deepEqual(reported, ['192.0.2.1:5060', '[2001:db8::1]:5060']);
  });

  it('has one name for methods that nobody knows, and one for what is no request', () => {
    note('192.0.2.1', 'GET');
    watch.note({ method: undefined, transport: 'ws', remote: { address: '192.0.2.1', port: 1 } });
    assert.deepEqual(counted, ['other udp silence', 'unreadable other silence']);
  });

  it('says once a minute how many more there were, and forgets who has stopped', () => {
    for (let count = 0; count < 5; count += 1) note('192.0.2.1');
    clock.advance(minute);
    assert.deepEqual(told, ['192.0.2.1 4']);
    note('192.0.2.1');
    clock.advance(minute);
    assert.deepEqual(told, ['192.0.2.1 4', '192.0.2.1 1']);
    assert.deepEqual(reported, ['192.0.2.1:5060']);
    assert.equal(watch.size, 1);
    clock.advance(minute);
    assert.deepEqual([told.length, watch.size], [2, 0]);
    note('192.0.2.1');
    assert.equal(reported.length, 2);
  });

  it('follows no more addresses than it may, and tells of the rest together', () => {
    for (let host = 1; host <= 10; host += 1) note(`192.0.2.${host}`);
    assert.deepEqual([reported.length, watch.size], [3, 3]);
    clock.advance(minute);
    assert.deepEqual([told, watch.size], [['others 7'], 0]);
  });

  it('tells of the rest once a minute, however many minutes end', () => {
    for (let host = 1; host <= 3; host += 1) {
      note(`192.0.2.${host}`);
      clock.advance(1_000);
    }
    note('192.0.2.4');
    for (let host = 1; host <= 3; host += 1) note(`192.0.2.${host}`);
    clock.advance(minute - 1);
    assert.deepEqual(told, ['192.0.2.1 1', '192.0.2.2 1', '192.0.2.3 1']);
    clock.advance(minute);
    assert.deepEqual(told.slice(3), ['others 1']);
    assert.equal(watch.size, 0);
  });

  it('tells what is left when it is closed, and leaves no timer', () => {
    note('192.0.2.1');
    note('192.0.2.1');
    watch.close();
    watch.close();
    clock.advance(2 * minute);
    assert.deepEqual([told, watch.size], [['192.0.2.1 1'], 0]);
  });
});
