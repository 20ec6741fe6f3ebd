import type { CrossFinding } from './problem.js';
import type { ConfigFile } from './schema.js';

/** Rules for numbers and callers that need others, or contradict them. */
export function checkIdentity({ trunks = [] }: Partial<ConfigFile>): CrossFinding[] {
  const found: CrossFinding[] = [];
  for (const [index, { numbers, caller_id: callerId, from }] of trunks.entries()) {
    const path = ['trunks', index];
    const forms = [numbers?.out ?? 'as_dialled', numbers?.in ?? 'as_dialled'];
    if (forms.some((form) => form !== 'as_dialled') && numbers?.country === undefined) {
      const problem = 'which numbers are national depends on the country';
      found.push({ path: [...path, 'numbers'], problem, fix: 'add for example country: US' });
    }
    if (from?.user !== undefined && callerId?.send?.split('+').includes('from') === true) {
      const problem = `From always shows ${from.user}, the from.user of the trunk`;
      const fix = 'write send: pai, or remove from.user';
      found.push({ path: [...path, 'caller_id', 'send'], problem, fix });
    }
  }
  return found;
}
