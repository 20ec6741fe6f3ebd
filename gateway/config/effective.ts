import { stringify } from 'yaml';
import type { ConfigFile } from './schema.js';

/** The trunks with every key that is in force, as YAML: what presets and defaults have filled in is there too. */
export function effectiveTrunks({ trunks }: ConfigFile): string {
  return trunks.length === 0 ? '' : stringify({ trunks }, { lineWidth: 120 });
}
