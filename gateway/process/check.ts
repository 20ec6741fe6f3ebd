import type { Clock } from '../../sip/clock.js';
import { silentLog } from '../../sip/log.js';
import { effectiveTrunks } from '../config/effective.js';
import type { Environment } from '../config/environment.js';
import { checkConfig } from '../config/load.js';
import { ConfigError, pathText, problemLine, type ConfigProblem } from '../config/problem.js';
import { preflight } from '../preflight/preflight.js';

/**
 * What `webtrunk check` says about a file that is right: what it holds, what may go wrong on this machine, and the trunks
 * in full. Throws a ConfigError when it is wrong, or could not be started here.
 */
export async function checkReport(path: string, env: Environment, clock: Clock): Promise<string> {
  const { config, written, lineOf } = await checkConfig(path, env);
  const problems: ConfigProblem[] = [];
  const warnings: ConfigProblem[] = [];
  for (const { level, path: at, problem, fix } of await preflight(config, clock, silentLog)) {
    const found = { path: pathText(at), line: lineOf(at), problem, fix };
    (level === 'problem' ? problems : warnings).push(found);
  }
  if (problems.length > 0) throw new ConfigError(path, [...problems, ...warnings]);
  const { domains, trunks, routes } = config;
  const count = `domains: ${domains.length}, trunks: ${trunks.length}, routes: ${routes.length}`;
  const doubts = warnings.length === 0 ? [] : ['Warnings:', ...warnings.map(problemLine)];
  const lines = [`${path} is right (${count})`, ...doubts];
  return `${lines.join('\n')}\n${effectiveTrunks(written)}`;
}
