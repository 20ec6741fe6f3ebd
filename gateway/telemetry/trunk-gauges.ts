import type { Metrics } from './metrics.js';

/** What is shown of a trunk. */
export interface WatchedTrunk {
  /** In the order of the configuration. */
  readonly hosts: readonly { readonly state: 'unknown' | 'up' | 'down' }[];
  readonly registration: { readonly state: string } | undefined;
  readonly channels: { readonly in: number; readonly out: number };
}

/** Shows how trunks are, by their names and the positions of their hosts. */
export function watchTrunks(metrics: Metrics, read: () => ReadonlyMap<string, WatchedTrunk>): void {
  metrics.watchValues(
    'trunk_host_up',
    '0 while a host of the trunk is out of use; hosts count from 0',
    ['trunk', 'host'],
    function* () {
      for (const [trunk, { hosts }] of read()) {
        for (const [index, { state }] of hosts.entries()) {
          yield [{ trunk, host: String(index) }, state === 'down' ? 0 : 1] as const;
        }
      }
    },
  );
  metrics.watchValues(
    'trunk_registered',
    '1 while the carrier holds our registration',
    ['trunk'],
    function* () {
      for (const [trunk, { registration }] of read()) {
        if (registration !== undefined)
          yield [{ trunk }, registration.state === 'registered' ? 1 : 0] as const;
      }
    },
  );
  metrics.watchValues(
    'trunk_channels',
    'Calls through the trunk, by the side that began them',
    ['trunk', 'direction'],
    function* () {
      for (const [trunk, { channels }] of read()) {
        yield [{ trunk, direction: 'in' }, channels.in] as const;
        yield [{ trunk, direction: 'out' }, channels.out] as const;
      }
    },
  );
}
