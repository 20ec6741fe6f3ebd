import type { Clock } from '../../sip/clock.js';
import { failure } from '../../sip/failure.js';
import { chance, chanceOf } from './chance.js';
import { Channels } from './channels.js';
import { HostHealth } from './host-health.js';
import { hostOrder } from './host-order.js';
import type { KeptHost } from './trunk-upkeep.js';
import type { Trunk } from './trunk.js';

/** What calls need of the upkeep of a trunk. */
export interface CallUpkeep {
  readonly channels: Channels;
  /** The hosts that a call tries, in order. With a `key` the living ones are always in the same order. */
  hostsForCall(key?: string): readonly KeptHost[];
}

/** The upkeep of a trunk that nobody watches: all its hosts are tried, and nothing is limited. */
export function plainUpkeep({ hosts }: Trunk, clock: Clock): CallUpkeep {
  const ask = () => Promise.reject(failure('trunk.unavailable', { detail: 'nobody asks this host' }));
  const kept = hosts.map((host) => ({
    ...host,
    health: new HostHealth({ ask, watch: undefined, clock, chance, changed: () => undefined }),
  }));
  return {
    channels: new Channels({}, { full: 'limit.trunk_channels', tooFast: 'limit.trunk_rate' }, clock),
    hostsForCall: (key) => hostOrder(kept, key === undefined ? chance : chanceOf(key)),
  };
}
