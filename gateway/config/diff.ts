import type { Config } from './config.js';
import { Secret } from './secret.js';

/** One difference between two configurations. */
export interface ConfigChange {
  /** `trunks.office`, `listen.http.port`. */
  readonly path: string;
  readonly kind: 'added' | 'removed' | 'changed';
  /** Whether a gateway that runs can take it over; else it waits for a restart. */
  readonly isLive: boolean;
}

type Steps = readonly string[];

/** What a running gateway takes over, with all that is below it. Everything else needs a restart. `*` is any name. */
const live: readonly Steps[] = [
  ['trunks'],
  ['routes'],
  ['limits'],
  ['drain'],
  ['ice', 'servers'],
  ['log', 'level'],
  ['domains', '*', 'users'],
  ['domains', '*', 'htdigest'],
  ['listen', 'https', 'cert'],
  ['listen', 'https', 'key'],
  ['sip', 'tls', 'cert'],
  ['sip', 'tls', 'key'],
  ['sip', 'tls', 'clientCa'],
];

/** A trunk that changed is one change, whatever changed in it. */
const wholes: readonly Steps[] = [['trunks', '*'], ['domains', '*', 'users', '*'], ['routes']];

const fits = (rule: Steps, path: Steps): boolean =>
  rule.length <= path.length && rule.every((step, at) => step === '*' || step === path[at]);

/** Every difference, in the order of the configuration; named things are compared by name. */
export function diffConfig(before: Config, after: Config): readonly ConfigChange[] {
  const changes: ConfigChange[] = [];
  compare([], before, after, (path, kind) => {
    changes.push({ path: path.join('.'), kind, isLive: live.some((rule) => fits(rule, path)) });
  });
  return changes;
}

type Tell = (path: Steps, kind: ConfigChange['kind']) => void;

type Fields = Readonly<Record<string, unknown>>;

function compare(path: Steps, before: unknown, after: unknown, tell: Tell): void {
  if (textOf(before) === textOf(after)) return;
  if (before === undefined) return tell(path, 'added');
  if (after === undefined) return tell(path, 'removed');
  const [one, other] = [fieldsOf(before), fieldsOf(after)];
  if (one === undefined || other === undefined || wholes.some((rule) => fits(rule, path)))
    return tell(path, 'changed');
  for (const name of new Set([...Object.keys(one), ...Object.keys(other)])) {
    compare([...path, name], one[name], other[name], tell);
  }
}

/** Objects by key, and lists of named things by name; undefined for anything else. */
function fieldsOf(value: unknown): Fields | undefined {
  if (value instanceof Secret || typeof value !== 'object' || value === null) return undefined;
  if (!Array.isArray(value)) return value as Fields;
  const named = value.map((item: unknown) => (isNamed(item) ? ([item.name, item] as const) : undefined));
  const entries = named.filter((entry) => entry !== undefined);
  return entries.length === value.length ? Object.fromEntries(entries) : undefined;
}

function isNamed(item: unknown): item is { readonly name: string } {
  return typeof item === 'object' && item !== null && 'name' in item && typeof item.name === 'string';
}

/** The same text for the same value, secrets and expressions included. It is never shown. */
function textOf(value: unknown): string {
  return (
    JSON.stringify({ value }, function (this: Fields, key, shown: unknown) {
      const own = this[key];
      if (own instanceof Secret) return { secret: own.reveal() };
      return own instanceof RegExp ? { source: own.source } : shown;
    }) ?? ''
  );
}

/** `before` with what a running gateway takes over from `after`. */
export function withLiveChanges(before: Config, after: Config): Config {
  return {
    ...before,
    listen: { ...before.listen, https: httpsOf(before.listen.https, after.listen.https) },
    domains: before.domains.map((domain) => {
      const found = after.domains.find(({ name }) => name === domain.name);
      return found === undefined ? domain : { ...domain, users: found.users, htdigest: found.htdigest };
    }),
    sip: sipOf(before.sip, after.sip),
    ice: { ...before.ice, servers: after.ice.servers },
    trunks: after.trunks,
    routes: after.routes,
    limits: after.limits,
    drain: after.drain,
    log: { ...before.log, level: after.log.level },
  };
}

function httpsOf(before: Config['listen']['https'], after: Config['listen']['https']) {
  return before === undefined || after === undefined
    ? before
    : { ...before, cert: after.cert, key: after.key };
}

function sipOf(before: Config['sip'], after: Config['sip']): Config['sip'] {
  if (before.engine === 'drachtio' || after.engine === 'drachtio') return before;
  return before.tls === undefined || after.tls === undefined ? before : { ...before, tls: after.tls };
}
