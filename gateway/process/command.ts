import { parseArgs } from 'node:util';
import { UsageError } from './usage.js';

/** What the command line asks for. */
export type Command =
  | { readonly name: 'start'; readonly config: string | undefined }
  | { readonly name: 'check'; readonly file: string }
  | {
      readonly name: 'doctor';
      readonly file: string;
      /** Undefined: all of them. */
      readonly trunk: string | undefined;
      readonly call: string | undefined;
    }
  | {
      readonly name: 'route';
      readonly file: string;
      readonly dialled: string;
      /** The calling user, or the number that a trunk says is calling. */
      readonly as: string | undefined;
      readonly fromTrunk: string | undefined;
      /** Milliseconds since the Unix epoch; undefined: now. */
      readonly atMs: number | undefined;
    }
  | { readonly name: 'user hash'; readonly user: string; readonly domain: string }
  | {
      readonly name: 'user add' | 'user passwd' | 'user remove';
      readonly user: string;
      readonly domain: string;
      readonly file: string;
    }
  | { readonly name: 'user list'; readonly file: string }
  | { readonly name: 'help' }
  | { readonly name: 'version' };

const defaultFile = 'webtrunk.yaml';
const defaultUsersFile = 'users.htdigest';

/** Reads the arguments after the program's name. Throws a UsageError. */
export function readCommand(args: readonly string[]): Command {
  const { values, positionals } = parse(args);
  if (values.help === true) return { name: 'help' };
  if (values.version === true) return { name: 'version' };
  const [name, ...rest] = positionals;
  if (name === undefined) throw new UsageError('a command is missing');
  refuseOptions(name, values);
  if (name === 'doctor') return readDoctorCommand(rest, values);
  if (name === 'route') return readRouteCommand(rest, values);
  if (name === 'start') {
    if (rest.length > 0)
      throw new UsageError(`start takes no ${rest.join(' ')}; meant --config ${rest.join(' ')}?`);
    return { name, config: values.config };
  }
  if (name === 'check') {
    if (rest.length > 1) throw new UsageError('check takes one file');
    return { name, file: rest[0] ?? defaultFile };
  }
  return readUserCommand(rest, values.file);
}

const options = ['config', 'call', 'file', 'as', 'from-trunk', 'at'] as const;

/** The options that each command takes. */
const optionsOf: ReadonlyMap<string, readonly string[]> = new Map([
  ['start', ['config']],
  ['check', []],
  ['doctor', ['config', 'call']],
  ['route', ['config', 'as', 'from-trunk', 'at']],
  ['user', ['file']],
]);

function refuseOptions(name: string, given: Readonly<Partial<Record<string, string | boolean>>>): void {
  const known = optionsOf.get(name);
  if (known === undefined) throw new UsageError(`there is no command ${name}`);
  const alien = options.find((option) => given[option] !== undefined && !known.includes(option));
  if (alien !== undefined) throw new UsageError(`--${alien} is not for ${name}`);
}

function readDoctorCommand(
  [trunk, ...rest]: readonly string[],
  { config, call }: { readonly config?: string | undefined; readonly call?: string | undefined },
): Command {
  if (rest.length > 0) throw new UsageError('doctor examines one trunk, or all of them');
  if (call !== undefined && trunk === undefined) throw new UsageError('--call needs to know by which trunk');
  if (call !== undefined && !/^[A-Za-z0-9*#+._-]{1,64}$/.test(call))
    throw new UsageError(`${call} is not a number`);
  return { name: 'doctor', file: config ?? defaultFile, trunk, call };
}

interface RouteOptions {
  readonly config?: string | undefined;
  readonly as?: string | undefined;
  readonly 'from-trunk'?: string | undefined;
  readonly at?: string | undefined;
}

function readRouteCommand([dialled, ...rest]: readonly string[], options: RouteOptions): Command {
  const { config, as, 'from-trunk': fromTrunk, at } = options;
  if (dialled === undefined || rest.length > 0) throw new UsageError('route takes one number or user');
  if (as === undefined && fromTrunk === undefined) {
    throw new UsageError('say who calls: --as USER, or --from-trunk TRUNK');
  }
  const atMs = at === undefined ? undefined : Date.parse(at);
  if (atMs !== undefined && Number.isNaN(atMs))
    throw new UsageError(`${String(at)} is not a time such as 2026-12-24T20:00`);
  return { name: 'route', file: config ?? defaultFile, dialled, as, fromTrunk, atMs };
}

const userActions = ['add', 'passwd', 'remove'] as const;

function readUserCommand(
  [action, user, domain, ...rest]: readonly string[],
  file: string = defaultUsersFile,
): Command {
  if (action === 'list' && user === undefined) return { name: 'user list', file };
  const change = userActions.find((known) => known === action);
  const isKnown = change !== undefined || action === 'hash';
  if (!isKnown || user === undefined || domain === undefined || rest.length > 0) {
    throw new UsageError('use: webtrunk user add|passwd|remove|hash NAME DOMAIN, or webtrunk user list');
  }
  if (/[:\s]/.test(user + domain)) throw new UsageError('neither name nor domain has colons or blanks');
  const who = { user, domain: domain.toLowerCase() };
  return change === undefined ? { name: 'user hash', ...who } : { name: `user ${change}`, ...who, file };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        config: { type: 'string', short: 'c' },
        as: { type: 'string' },
        at: { type: 'string' },
        call: { type: 'string' },
        file: { type: 'string', short: 'f' },
        'from-trunk': { type: 'string' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean', short: 'v' },
      },
    });
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
