import type { Config } from '../config/config.js';

/** Where a newcomer goes from here: page, users with passwords, echo number. For the quick start only. */
export function quickStartBanner(config: Config, page: string, operations: string): string {
  const users = config.domains.flatMap((domain) => domain.users);
  const width = Math.max(...users.map(({ name }) => name.length));
  const signIn = users.map(({ name, password }, index) =>
    row(index === 0 ? 'Sign in as' : '', `${name.padEnd(width)}  password  ${password.reveal()}`),
  );
  const echo =
    config.echoPhone === undefined ? [] : [row('Call', `${config.echoPhone.number} to hear yourself`)];
  return [
    '',
    row('Softphone', page),
    ...signIn,
    ...echo,
    row('Operations', `${operations} (/metrics, /api/v1/calls)`),
    '',
    '  Only this machine can reach it. To connect a PBX see README.md. Stop with Ctrl-C.',
    '',
    '',
  ].join('\n');
}

function row(label: string, text: string): string {
  return `  ${label.padEnd(12)}${text}`;
}
