import type { Chance } from './chance.js';

interface Weighted {
  readonly priority: number;
  readonly weight?: number;
}

const usualWeight = 10;
const weightOf = ({ weight = usualWeight }: Weighted): number => weight;

/** The hosts in the order in which a call tries them: by priority, and by chance and weight within one (RFC 2782). */
export function hostOrder<Host extends Weighted>(hosts: readonly Host[], chance: Chance): readonly Host[] {
  const priorities = [...new Set(hosts.map(({ priority }) => priority))].sort((one, other) => one - other);
  return priorities.flatMap((priority) =>
    drawn(
      hosts.filter((host) => host.priority === priority),
      chance,
    ),
  );
}

/** Takes one after the other out of a hat in which each has as many lots as its weight. */
function drawn<Host extends Weighted>(hosts: readonly Host[], chance: Chance): readonly Host[] {
  const left = [...hosts];
  const order: Host[] = [];
  while (left.length > 0) {
    const total = left.reduce((sum, host) => sum + weightOf(host), 0);
    let lot = chance() * total;
    const index = left.findIndex((host) => {
      lot -= weightOf(host);
      return lot < 0;
    });
    order.push(...left.splice(Math.max(index, 0), 1));
  }
  return order;
}
