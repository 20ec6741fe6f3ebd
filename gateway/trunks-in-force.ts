import type { Clock } from '../sip/clock.js';
import type { Config } from './config/config.js';
import type { Events } from './telemetry/events.js';
import { chance } from './trunk/chance.js';
import { trunkOf } from './trunk/trunk-of.js';
import type { TrunkSide } from './trunk/trunk-side.js';
import { TrunkTable } from './trunk/trunk-table.js';
import { TrunkUpkeeps } from './trunk/trunk-upkeeps.js';

/** The trunks of the configuration that is in force: their table, and what registers, watches and limits them. */
export class TrunksInForce {
  readonly upkeeps: TrunkUpkeeps;
  #table: TrunkTable | undefined;

  private constructor(
    config: Config,
    private readonly side: TrunkSide,
    private readonly events: Events,
    private readonly clock: Clock,
  ) {
    this.upkeeps = new TrunkUpkeeps(config.trunks.map(trunkOf), { asker: side.stack, events, clock, chance });
  }

  /** Looks the names of hosts up. Nothing registers or asks before {@link TrunkUpkeeps.open}. */
  static async create(config: Config, side: TrunkSide, events: Events, clock: Clock): Promise<TrunksInForce> {
    const trunks = new TrunksInForce(config, side, events, clock);
    trunks.#table = await trunks.#createTable(config);
    return trunks;
  }

  get table(): TrunkTable {
    if (this.#table === undefined) throw new TypeError('the trunks are not there yet');
    return this.#table;
  }

  /** Takes over other trunks; what has not changed stays registered, and as healthy as it was. */
  async renew(config: Config): Promise<void> {
    this.upkeeps.renew(config.trunks.map(trunkOf));
    const table = await this.#createTable(config);
    this.#table?.close();
    this.#table = table;
  }

  /** Signs out and looks no names up any more. Idempotent. */
  async close(): Promise<void> {
    this.#table?.close();
    await this.upkeeps.close();
  }

  #createTable(config: Config): Promise<TrunkTable> {
    const { side, events, clock } = this;
    return TrunkTable.create({
      trunks: config.trunks.map(trunkOf),
      dialler: side.stack,
      find: side.find,
      clock,
      unresolved: (trunk, name) => events.trunkUnresolved({ trunk, host: name }),
      upkeepOf: (name) => this.upkeeps.of(name),
      patience: config.limits,
      full: (trunk, direction, { detail = '' }) => events.trunkFull({ trunk, direction, detail }),
    });
  }
}

/** The same events, of which `dead` hears each host that has gone down. */
export function withDeadHosts(events: Events, dead: (trunk: string, host: string) => void): Events {
  return {
    ...events,
    trunkHostDown(told) {
      events.trunkHostDown(told);
      dead(told.trunk, told.host);
    },
  };
}
