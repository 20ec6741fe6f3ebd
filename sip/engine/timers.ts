/** The three base values that every transaction timer derives from (RFC 3261 §17.1.1.1, Table 4), in milliseconds. */
export interface TimerBase {
  /** Round-trip estimate. */
  readonly t1Ms: number;
  /** Longest retransmit interval of non-INVITE requests and INVITE responses. */
  readonly t2Ms: number;
  /** Longest time that a message stays in the network. */
  readonly t4Ms: number;
}

/** RFC 3261 Table 4. */
export const defaultTimerBase: TimerBase = { t1Ms: 500, t2Ms: 4000, t4Ms: 5000 };

interface TimerRule {
  readonly section: string;
  readonly meaning: string;
  /** Over UDP. */
  readonly unreliableMs: (base: TimerBase) => number;
  /** Over TCP and TLS; 0 means that the timer is not armed or fires at once. */
  readonly reliableMs: (base: TimerBase) => number;
}

const never = (): number => 0;
const lifetime = (base: TimerBase): number => 64 * base.t1Ms;

/** Every transaction timer of RFC 3261 and RFC 6026, with its section and value per kind of transport. */
export const timerTable = {
  A: {
    section: 'RFC 3261 §17.1.1.2',
    meaning: 'first retransmit of an INVITE',
    unreliableMs: (base) => base.t1Ms,
    reliableMs: never,
  },
  B: {
    section: 'RFC 3261 §17.1.1.2',
    meaning: 'no response to an INVITE',
    unreliableMs: lifetime,
    reliableMs: lifetime,
  },
  D: {
    section: 'RFC 3261 §17.1.1.2',
    meaning: 'absorb retransmitted failures of an INVITE',
    unreliableMs: lifetime,
    reliableMs: never,
  },
  E: {
    section: 'RFC 3261 §17.1.2.2',
    meaning: 'first retransmit of another request',
    unreliableMs: (base) => base.t1Ms,
    reliableMs: never,
  },
  F: {
    section: 'RFC 3261 §17.1.2.2',
    meaning: 'no final response to another request',
    unreliableMs: lifetime,
    reliableMs: lifetime,
  },
  G: {
    section: 'RFC 3261 §17.2.1',
    meaning: 'first retransmit of a failure to an INVITE',
    unreliableMs: (base) => base.t1Ms,
    reliableMs: never,
  },
  H: {
    section: 'RFC 3261 §17.2.1',
    meaning: 'no ACK for a failure',
    unreliableMs: lifetime,
    reliableMs: lifetime,
  },
  I: {
    section: 'RFC 3261 §17.2.1',
    meaning: 'absorb retransmitted ACKs',
    unreliableMs: (base) => base.t4Ms,
    reliableMs: never,
  },
  J: {
    section: 'RFC 3261 §17.2.2',
    meaning: 'absorb retransmits of an answered request',
    unreliableMs: lifetime,
    reliableMs: never,
  },
  K: {
    section: 'RFC 3261 §17.1.2.2',
    meaning: 'absorb retransmitted final responses',
    unreliableMs: (base) => base.t4Ms,
    reliableMs: never,
  },
  L: {
    section: 'RFC 6026 §7.1',
    meaning: 'absorb retransmits of an accepted INVITE',
    unreliableMs: lifetime,
    reliableMs: lifetime,
  },
  M: {
    section: 'RFC 6026 §7.2',
    meaning: 'pass up retransmitted and forked 2xx',
    unreliableMs: lifetime,
    reliableMs: lifetime,
  },
} as const satisfies Record<string, TimerRule>;

export type TimerName = keyof typeof timerTable;

/** The values of {@link timerTable} for one kind of transport, in milliseconds. */
export type TimerValues = Readonly<Record<TimerName, number>> & TimerBase;

/** The values that are in force in one engine. */
export interface Timers {
  readonly base: TimerBase;
  readonly unreliable: TimerValues;
  readonly reliable: TimerValues;
  /** 64·T1: how long a 2xx or a reliable 1xx is retransmitted and an ACK is kept (RFC 3261 §13.3.1.4). */
  readonly lifetimeMs: number;
  /**
   * 10·T1: how long an address may be silent when there is another one to try. Deviates: RFC 3263 §4.3 waits for the
   * transaction's timeout, 64·T1, which is longer than callers wait.
   */
  readonly silentHopMs: number;
}

/** Works the table out for the given base values. */
export function createTimers(base: TimerBase = defaultTimerBase): Timers {
  const values = (reliable: boolean): TimerValues => {
    const entries = Object.entries<TimerRule>(timerTable).map(
      ([name, rule]) => [name, reliable ? rule.reliableMs(base) : rule.unreliableMs(base)] as const,
    );
    return { ...(Object.fromEntries(entries) as Record<TimerName, number>), ...base };
  };
  return {
    base,
    unreliable: values(false),
    reliable: values(true),
    lifetimeMs: lifetime(base),
    silentHopMs: 10 * base.t1Ms,
  };
}
