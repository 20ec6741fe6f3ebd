import type { Gateway } from './gateway.js';

/** Tables that are zero when no call and no request is open on the browser side and in call control. */
export const callTables = [
  'calls',
  'media_sessions',
  'direct_media_sessions',
  'transactions',
  'dialogs',
  'legs',
  'unsent',
  'trunk_legs',
  'cdr_waiting',
] as const;

/** Resolves when those tables are empty; names, after `withinMs`, those that are not. */
export async function idle(
  gateway: Gateway,
  tables: readonly string[] = callTables,
  withinMs = 5_000,
): Promise<void> {
  const busy = (): string[] => tables.filter((table) => (gateway.app.inspect()[table] ?? 0) !== 0);
  const untilMs = Date.now() + withinMs;
  while (busy().length > 0) {
    if (Date.now() > untilMs) throw new Error(`not empty after ${withinMs} ms: ${busy().join(', ')}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
