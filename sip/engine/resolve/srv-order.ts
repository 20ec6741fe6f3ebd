/** One SRV record (RFC 2782). */
export interface SrvRecord {
  /** Host name of the server. */
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/**
 * Orders servers by priority and, among equals, at random in proportion to their weights (RFC 2782). `random` gives an
 * integer from 0 up to, but not including, its argument.
 */
export function orderServers(
  records: readonly SrvRecord[],
  random: (below: number) => number,
): readonly SrvRecord[] {
  const ordered: SrvRecord[] = [];
  const priorities = [...new Set(records.map(({ priority }) => priority))].sort((one, other) => one - other);
  for (const priority of priorities) {
    const left = records.filter((record) => record.priority === priority);
    while (left.length > 0) ordered.push(...left.splice(pick(left, random), 1));
  }
  return ordered;
}

/** Servers of weight 0 stand first, so that they have a very small chance beside others (RFC 2782). */
function pick(left: SrvRecord[], random: (below: number) => number): number {
  left.sort((one, other) => Math.sign(one.weight) - Math.sign(other.weight));
  const total = left.reduce((sum, { weight }) => sum + weight, 0);
  let rest = random(total + 1);
  for (const [index, { weight }] of left.entries()) {
    rest -= weight;
    if (rest <= 0) return index;
  }
  return 0;
}
