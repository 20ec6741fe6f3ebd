import { nearest } from './nearest.js';
import type { CrossFinding } from './problem.js';
import type { ConfigFile } from './schema.js';

/** A domain with `auth: pbx` needs a trunk, and has no users of its own. */
export function checkPbxDomains({ domains = [], trunks = [] }: Partial<ConfigFile>): CrossFinding[] {
  const known = trunks.map(({ name }) => name);
  return domains.flatMap((domain, index) => {
    const { auth, trunk, contact, users, users_file: usersFile } = domain;
    const path = ['domains', index];
    if (auth !== 'pbx') {
      return [
        ...(trunk === undefined ? [] : [onlyForPbx([...path, 'trunk'])]),
        ...(contact === undefined ? [] : [onlyForPbx([...path, 'contact'])]),
      ];
    }
    const found: CrossFinding[] = [];
    if (trunk === undefined) {
      const fix = `add trunk: ${known[0] ?? 'office'}`;
      found.push({ path, problem: 'auth: pbx needs to know whose PBX', fix });
    } else if (!known.includes(trunk)) {
      const meant = nearest(trunk, known) ?? known[0];
      const fix = meant === undefined ? 'there is no trunk' : `did you mean ${meant}?`;
      found.push({ path: [...path, 'trunk'], problem: `there is no trunk "${trunk}"`, fix });
    }
    if (users.length > 0 || usersFile !== undefined) {
      const problem = 'the PBX knows the users of this domain';
      const fix = 'remove users and users_file, or write auth: local';
      found.push({ path, problem, fix });
    }
    return found;
  });
}

function onlyForPbx(path: CrossFinding['path']): CrossFinding {
  const problem = 'only a domain with auth: pbx is passed to a trunk';
  return { path, problem, fix: `write auth: pbx, or remove ${String(path.at(-1))}` };
}
