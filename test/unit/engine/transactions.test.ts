import assert from 'node:assert/strict';
import { parseMessage } from '../../../sip/message/index.js';
import { createTimers, timerTable } from '../../../sip/engine/timers.js';
import { InviteClientTransaction, inviteClientTable } from '../../../sip/engine/transaction/invite-client.js';
import { InviteServerTransaction, inviteServerTable } from '../../../sip/engine/transaction/invite-server.js';
import {
  NonInviteClientTransaction,
  nonInviteClientTable,
} from '../../../sip/engine/transaction/non-invite-client.js';
import {
  NonInviteServerTransaction,
  nonInviteServerTable,
} from '../../../sip/engine/transaction/non-invite-server.js';
import type { TransactionOptions } from '../../../sip/engine/transaction/transaction.js';
import type { Channel } from '../../../sip/engine/transport/channel.js';
import { ReceivedResponse } from '../../../sip/engine/wire/received.js';
import { FakeClock } from '../../support/fake-clock.js';

const timers = createTimers();
const here = { address: '127.0.0.1', port: 5060 };

/** A channel that keeps what is sent, with the time. */
class Wire implements Channel {
  readonly transport: 'udp' | 'tcp';
  readonly remote = here;
  readonly local = here;
  readonly sentBy = { host: '127.0.0.1', port: 5060 };
  readonly isOpen = true;
  readonly sent: [atMs: number, text: string][] = [];
  private readonly startMs: number;
  private failed: ((error: Error) => void) | undefined;

  constructor(
    private readonly clock: FakeClock,
    readonly reliable: boolean,
  ) {
    this.transport = reliable ? 'tcp' : 'udp';
    this.startMs = clock.nowMs();
  }

  send(bytes: Buffer, failed?: (error: Error) => void): void {
    this.sent.push([this.clock.nowMs() - this.startMs, bytes.toString()]);
    this.failed = failed;
  }

  /** The last send turns out to have failed. */
  fail(): void {
    this.failed?.(new Error('refused'));
  }

  times(text: string): number[] {
    return this.sent.filter(([, sent]) => sent === text).map(([at]) => at);
  }
}

const response = (status: number, wire: Channel): ReceivedResponse => {
  const text = [
    `SIP/2.0 ${status} X`,
    'Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1',
    'From: <sip:a@b>;tag=1',
    'To: <sip:c@d>;tag=2',
    'Call-ID: x',
    'CSeq: 1 INVITE',
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
  const message = parseMessage(Buffer.from(text));
  if (message.kind !== 'response') throw new Error('not a response');
  return new ReceivedResponse(message, wire, Buffer.from(text));
};

/** The states and events of a table that have a row, to see that each is tried. */
const rowsOf = (table: Readonly<Record<string, object>>): string[] =>
  Object.entries(table).flatMap(([state, events]) => Object.keys(events).map((event) => `${state} ${event}`));

interface Lab {
  readonly clock: FakeClock;
  readonly wire: Wire;
  readonly options: TransactionOptions;
  readonly told: string[];
}

const lab = (reliable: boolean, method: string): Lab => {
  const clock = new FakeClock();
  const wire = new Wire(clock, reliable);
  const told: string[] = [];
  const options: TransactionOptions = {
    key: 'k',
    branch: 'z9hG4bK1',
    method,
    channel: wire,
    clock,
    timers: reliable ? timers.reliable : timers.unreliable,
    ended: (key) => told.push(`ended ${key}`),
  };
  return { clock, wire, options, told };
};

const clientUser = (told: string[]) => ({
  response: (received: ReceivedResponse) => void told.push(String(received.message.status)),
  timedOut: () => void told.push('timed out'),
  unsent: (error: Error) => void told.push(error.message),
  acknowledgement: (received: ReceivedResponse) => Buffer.from(`ACK ${received.message.status}`),
  gone: () => void told.push('gone'),
});

const serverUser = (told: string[]) => ({
  unacknowledged: () => void told.push('unacknowledged'),
  unanswered: () => void told.push('unanswered'),
  unsent: (error: Error) => void told.push(error.message),
  cancelled: () => undefined,
  localTag: 'us',
});

describe('timers', () => {
  it('have the values of RFC 3261 Table 4 and RFC 6026', () => {
    const { A, B, D, E, F, G, H, I, J, K, L, M } = timers.unreliable;
    assert.deepEqual(
      { A, B, D, E, F, G, H, I, J, K, L, M },
      {
        A: 500,
        B: 32000,
        D: 32000,
        E: 500,
        F: 32000,
        G: 500,
        H: 32000,
        I: 5000,
        J: 32000,
        K: 5000,
        L: 32000,
        M: 32000,
      },
    );
  });

  it('do not retransmit nor absorb over a reliable transport', () => {
    const { A, B, D, E, F, G, H, I, J, K, L, M } = timers.reliable;
    assert.deepEqual(
      { A, B, D, E, F, G, H, I, J, K, L, M },
      { A: 0, B: 32000, D: 0, E: 0, F: 32000, G: 0, H: 32000, I: 0, J: 0, K: 0, L: 32000, M: 32000 },
    );
  });

  it('name their section', () => {
    for (const rule of Object.values(timerTable)) assert.match(rule.section, /^RFC (3261 §17|6026 §7)/);
  });
});

describe('INVITE client transaction', () => {
  const start = (reliable = false) => {
    const { clock, wire, options, told } = lab(reliable, 'INVITE');
    const transaction = new InviteClientTransaction(options, Buffer.from('INVITE'), clientUser(told));
    transaction.start();
    return {
      clock,
      wire,
      told,
      transaction,
      take: (status: number) => transaction.receive(response(status, wire)),
    };
  };

  it('retransmits at 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s and gives up at 32 s', () => {
    const { clock, wire, told, transaction } = start();
    clock.advance(40_000);
    assert.deepEqual(wire.times('INVITE'), [0, 500, 1500, 3500, 7500, 15_500, 31_500]);
    assert.deepEqual(told, ['timed out', 'ended k', 'gone']);
    assert.equal(transaction.state, 'terminated');
    assert.equal(clock.pending, 0);
  });

  it('sends once over TCP and gives up at 32 s all the same', () => {
    const { clock, wire, told } = start(true);
    clock.advance(40_000);
    assert.deepEqual(wire.times('INVITE'), [0]);
    assert.equal(told[0], 'timed out');
  });

  it('stops retransmitting at a provisional response and then waits without limit', () => {
    const { clock, wire, told, transaction, take } = start();
    take(180);
    clock.advance(200_000);
    take(183);
    assert.deepEqual(told, ['180', '183']);
    assert.deepEqual(wire.times('INVITE'), [0]);
    assert.equal(transaction.state, 'proceeding');
    assert.equal(clock.pending, 0);
  });

  for (const early of [false, true]) {
    it(`acknowledges a failure ${early ? 'after a provisional response' : 'at once'}, and again for 32 s`, () => {
      const { clock, wire, told, transaction, take } = start();
      if (early) take(180);
      take(486);
      take(486);
      assert.equal(transaction.state, 'completed');
      assert.deepEqual(
        told.filter((text) => text !== '180'),
        ['486'],
      );
      assert.deepEqual(wire.times('ACK 486'), [0, 0]);
      clock.advance(31_999);
      assert.equal(transaction.state, 'completed');
      clock.advance(1);
      assert.equal(transaction.state, 'terminated');
      assert.equal(clock.pending, 0);
    });

    it(`passes every 2xx up for 32 s ${early ? 'after a provisional response' : 'at once'} and acknowledges none`, () => {
      const { clock, wire, told, transaction, take } = start();
      if (early) take(180);
      take(200);
      take(200);
      assert.equal(transaction.state, 'accepted');
      assert.deepEqual(
        told.filter((text) => text !== '180'),
        ['200', '200'],
      );
      assert.deepEqual(wire.sent.length, 1);
      clock.advance(32_000);
      assert.equal(transaction.state, 'terminated');
    });
  }

  it('ends at once after a failure over TCP', () => {
    const { told, transaction, take } = start(true);
    take(486);
    assert.deepEqual(told, ['486', 'ended k', 'gone']);
    assert.equal(transaction.state, 'terminated');
  });

  it('reports that the request could not be sent', () => {
    const { wire, told, transaction } = start();
    wire.fail();
    assert.deepEqual(told, ['refused', 'ended k', 'gone']);
    assert.equal(transaction.state, 'terminated');
  });

  it('ends when the ACK cannot be sent', () => {
    const { wire, told, transaction, take } = start();
    take(486);
    wire.fail();
    assert.equal(transaction.state, 'terminated');
    assert.deepEqual(told, ['486', 'ended k', 'gone']);
  });

  it('is abandoned while calling and while proceeding, and not afterwards', () => {
    const calling = start();
    calling.transaction.abandon();
    assert.equal(calling.told[0], 'timed out');
    const proceeding = start();
    proceeding.take(180);
    proceeding.transaction.abandon();
    assert.deepEqual(proceeding.told, ['180', 'timed out', 'ended k', 'gone']);
    const accepted = start();
    accepted.take(200);
    accepted.transaction.abandon();
    assert.equal(accepted.transaction.state, 'accepted');
  });

  it('has no rows but those tried here', () => {
    assert.deepEqual(rowsOf(inviteClientTable).sort(), [
      'accepted success',
      'accepted timerM',
      'calling abandon',
      'calling failure',
      'calling provisional',
      'calling success',
      'calling timerA',
      'calling timerB',
      'calling transportError',
      'completed failure',
      'completed timerD',
      'completed transportError',
      'proceeding abandon',
      'proceeding failure',
      'proceeding provisional',
      'proceeding success',
    ]);
  });
});

describe('non-INVITE client transaction', () => {
  const start = (reliable = false) => {
    const { clock, wire, options, told } = lab(reliable, 'OPTIONS');
    const transaction = new NonInviteClientTransaction(options, Buffer.from('OPTIONS'), clientUser(told));
    transaction.start();
    return {
      clock,
      wire,
      told,
      transaction,
      take: (status: number) => transaction.receive(response(status, wire)),
    };
  };

  it('retransmits at 0.5, 1.5, 3.5, 7.5, … every 4 s and gives up at 32 s', () => {
    const { clock, wire, told, transaction } = start();
    clock.advance(40_000);
    assert.deepEqual(
      wire.times('OPTIONS'),
      [0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500],
    );
    assert.deepEqual(told, ['timed out', 'ended k']);
    assert.equal(transaction.state, 'terminated');
    assert.equal(clock.pending, 0);
  });

  it('retransmits every 4 s after a provisional response and still gives up at 32 s', () => {
    const { clock, wire, told, take } = start();
    take(100);
    take(183);
    clock.advance(40_000);
    assert.deepEqual(wire.times('OPTIONS'), [0, 500, 4500, 8500, 12_500, 16_500, 20_500, 24_500, 28_500]);
    assert.deepEqual(told, ['100', '183', 'timed out', 'ended k']);
  });

  for (const early of [false, true]) {
    it(`delivers one final response ${early ? 'after a provisional one' : ''} and absorbs its copies for 5 s`, () => {
      const { clock, wire, told, transaction, take } = start();
      if (early) take(100);
      take(200);
      take(200);
      assert.deepEqual(
        told.filter((text) => text !== '100'),
        ['200'],
      );
      clock.advance(4999);
      assert.equal(transaction.state, 'completed');
      clock.advance(1);
      assert.equal(transaction.state, 'terminated');
      assert.deepEqual(wire.times('OPTIONS'), [0]);
      assert.equal(clock.pending, 0);
    });

    it(`reports that the request could not be sent ${early ? 'after a provisional response' : ''}`, () => {
      const { wire, told, transaction, take } = start();
      if (early) take(100);
      wire.fail();
      assert.equal(transaction.state, 'terminated');
      assert.deepEqual(
        told.filter((text) => text !== '100'),
        ['refused', 'ended k'],
      );
    });
  }

  it('sends once over TCP and ends with the final response', () => {
    const { clock, wire, told, transaction, take } = start(true);
    clock.advance(10_000);
    take(404);
    assert.deepEqual(wire.times('OPTIONS'), [0]);
    assert.equal(transaction.state, 'terminated');
    assert.deepEqual(told, ['404', 'ended k']);
  });

  it('has no rows but those tried here', () => {
    assert.deepEqual(rowsOf(nonInviteClientTable).sort(), [
      'completed timerK',
      'proceeding final',
      'proceeding provisional',
      'proceeding timerE',
      'proceeding timerF',
      'proceeding transportError',
      'trying final',
      'trying provisional',
      'trying timerE',
      'trying timerF',
      'trying transportError',
    ]);
  });
});

describe('INVITE server transaction', () => {
  const start = (reliable = false) => {
    const { clock, wire, options, told } = lab(reliable, 'INVITE');
    const transaction = new InviteServerTransaction(options, serverUser(told));
    return {
      clock,
      wire,
      told,
      transaction,
      send: (status: number) => transaction.respond(status, Buffer.from(String(status))),
    };
  };

  it('repeats the last provisional response for a retransmitted INVITE', () => {
    const { wire, transaction, send } = start();
    transaction.retransmitted();
    assert.equal(wire.sent.length, 0);
    send(100);
    send(180);
    transaction.retransmitted();
    assert.deepEqual(
      wire.sent.map(([, text]) => text),
      ['100', '180', '180'],
    );
  });

  it('retransmits a failure at 0.5, 1.5, 3.5, 7.5, … s until 32 s', () => {
    const { clock, wire, told, transaction, send } = start();
    send(486);
    clock.advance(40_000);
    assert.deepEqual(
      wire.times('486'),
      [0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500],
    );
    assert.deepEqual(told, ['unacknowledged', 'ended k']);
    assert.equal(transaction.state, 'terminated');
    assert.equal(clock.pending, 0);
  });

  it('stops at the ACK, absorbs more of them for 5 s, and ends', () => {
    const { clock, wire, transaction, send } = start();
    send(486);
    transaction.retransmitted();
    transaction.acknowledged();
    transaction.acknowledged();
    transaction.retransmitted();
    clock.advance(4999);
    assert.equal(transaction.state, 'confirmed');
    assert.deepEqual(wire.times('486'), [0, 0]);
    clock.advance(1);
    assert.equal(transaction.state, 'terminated');
    assert.equal(clock.pending, 0);
  });

  it('sends a failure once over TCP, waits 32 s for the ACK and ends with it', () => {
    const silent = start(true);
    silent.send(486);
    silent.clock.advance(40_000);
    assert.deepEqual(silent.wire.times('486'), [0]);
    assert.deepEqual(silent.told, ['unacknowledged', 'ended k']);
    const good = start(true);
    good.send(486);
    good.transaction.acknowledged();
    assert.equal(good.transaction.state, 'terminated');
  });

  it('absorbs the INVITE for 32 s after a 2xx, lets further 2xx pass and no failure', () => {
    const { clock, wire, transaction, send } = start();
    send(200);
    transaction.retransmitted();
    assert.equal(send(200), true);
    assert.equal(send(500), false);
    assert.deepEqual(
      wire.sent.map(([, text]) => text),
      ['200', '200'],
    );
    clock.advance(31_999);
    assert.equal(transaction.state, 'accepted');
    clock.advance(1);
    assert.equal(transaction.state, 'terminated');
  });

  for (const status of [180, 486]) {
    it(`ends when a ${status} cannot be sent`, () => {
      const { wire, told, transaction, send } = start();
      send(status);
      wire.fail();
      assert.deepEqual(told, ['refused', 'ended k']);
      assert.equal(transaction.state, 'terminated');
    });
  }

  it('takes no second final response', () => {
    const { send } = start();
    send(486);
    assert.equal(send(200), false);
  });

  it('has no rows but those tried here', () => {
    assert.deepEqual(rowsOf(inviteServerTable).sort(), [
      'accepted success',
      'accepted timerL',
      'completed ack',
      'completed request',
      'completed timerG',
      'completed timerH',
      'completed transportError',
      'confirmed timerI',
      'proceeding failure',
      'proceeding provisional',
      'proceeding request',
      'proceeding success',
      'proceeding transportError',
    ]);
  });
});

describe('non-INVITE server transaction', () => {
  const start = (reliable = false) => {
    const { clock, wire, options, told } = lab(reliable, 'OPTIONS');
    const transaction = new NonInviteServerTransaction(options, serverUser(told));
    return {
      clock,
      wire,
      told,
      transaction,
      send: (status: number) => transaction.respond(status, Buffer.from(String(status))),
    };
  };

  it('absorbs retransmissions until there is a response, then repeats the last one for 32 s', () => {
    const { clock, wire, transaction, send } = start();
    transaction.retransmitted();
    assert.equal(wire.sent.length, 0);
    send(100);
    send(182);
    transaction.retransmitted();
    send(200);
    transaction.retransmitted();
    assert.deepEqual(
      wire.sent.map(([, text]) => text),
      ['100', '182', '182', '200', '200'],
    );
    clock.advance(31_999);
    assert.equal(transaction.state, 'completed');
    clock.advance(1);
    assert.equal(transaction.state, 'terminated');
    assert.equal(clock.pending, 0);
  });

  it('answers at once without a provisional response', () => {
    const { transaction, send } = start();
    send(404);
    assert.equal(transaction.state, 'completed');
    assert.equal(send(200), false);
  });

  it('ends with its final response over TCP', () => {
    const { clock, transaction, send } = start(true);
    send(200);
    assert.equal(transaction.state, 'terminated');
    assert.equal(clock.pending, 0);
  });

  for (const provisional of [false, true]) {
    it(`ends when the application is silent for 32 s ${provisional ? 'after a provisional response' : ''}`, () => {
      const { clock, told, transaction, send } = start();
      if (provisional) send(100);
      clock.advance(32_000);
      assert.deepEqual(told, ['unanswered', 'ended k']);
      assert.equal(transaction.state, 'terminated');
    });
  }

  for (const status of [100, 200]) {
    it(`ends when a ${status} cannot be sent`, () => {
      const { wire, told, transaction, send } = start();
      send(status);
      wire.fail();
      assert.deepEqual(told, ['refused', 'ended k']);
      assert.equal(transaction.state, 'terminated');
    });
  }

  it('has no rows but those tried here', () => {
    assert.deepEqual(rowsOf(nonInviteServerTable).sort(), [
      'completed request',
      'completed timerJ',
      'completed transportError',
      'proceeding final',
      'proceeding provisional',
      'proceeding request',
      'proceeding timerF',
      'proceeding transportError',
      'trying final',
      'trying provisional',
      'trying timerF',
      'trying transportError',
    ]);
  });
});
