/** The sizes of a part's tables under names that say whose they are. */
export function prefixed(prefix: string, sizes: Readonly<Record<string, number>>): Record<string, number> {
  const named: Record<string, number> = {};
  for (const [table, size] of Object.entries(sizes)) named[`${prefix}_${table}`] = size;
  return named;
}
