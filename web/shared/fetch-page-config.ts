import { config as zodConfig } from 'zod';
import { pageConfigPath, pageConfigSchema, type PageConfig } from '../../gateway/contract/page-config.js';

// zod would compile its parsers with `new Function`, which a strict Content-Security-Policy reports as a violation.
zodConfig({ jitless: true });

/** Asks the server for the page's configuration. Throws when it cannot be reached or answers something else. */
export async function fetchPageConfig(): Promise<PageConfig> {
  const response = await fetch(pageConfigPath, { cache: 'no-store' });
  if (!response.ok) throw new Error(`${pageConfigPath} answered ${response.status}`);
  return pageConfigSchema.parse(await response.json());
}
