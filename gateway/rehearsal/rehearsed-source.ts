import type { CallSource } from '../call/ports.js';
import type { Config, DomainConfig } from '../config/config.js';
import { createCredentials } from '../create-credentials.js';
import { PbxContacts } from '../pbx-domain/pbx-contacts.js';
import { escapedUser } from '../routing/number-rule.js';

/** A call that is only rehearsed. */
export interface RehearsalRequest {
  /** A number or a user, with or without domain. */
  readonly dialled: string;
  /** A user, with or without domain; for a call from a trunk the calling number. */
  readonly as: string | undefined;
  readonly fromTrunk: string | undefined;
  /** Milliseconds since the Unix epoch. */
  readonly atMs: number;
}

/** The request names somebody whom the configuration does not know. */
export class UnknownCaller extends Error {
  override readonly name = 'UnknownCaller';
}

/** A call as it would come in. */
export interface RehearsedSource {
  readonly requestUri: string;
  /** A SIP URI. */
  readonly from: string;
  readonly source: CallSource;
  /** Who is taken to be registered at a PBX that knows the passwords. */
  readonly contacts: PbxContacts;
  /** What the operator should know beside. */
  readonly notes: readonly string[];
}

const endpointId = 'e_rehearsal';

/** Makes a call of what an operator asks for. Throws {@link UnknownCaller}. */
export function rehearsedSource(config: Config, request: RehearsalRequest): RehearsedSource {
  const { fromTrunk, as } = request;
  if (fromTrunk !== undefined) return ofTrunk(config, request, fromTrunk);
  if (as === undefined) throw new UnknownCaller('say who calls: --as USER, or --from-trunk TRUNK');
  return ofBrowser(config, request, as);
}

function ofBrowser(config: Config, { dialled }: RehearsalRequest, as: string): RehearsedSource {
  const { name, domain } = userIn(config, as);
  const aor = `sip:${escapedUser(name)}@${domain.name}`;
  const contacts = new PbxContacts();
  if (domain.pbxTrunk !== undefined) register(contacts, aor, domain.pbxTrunk);
  const [number, host = domain.name] = splitUser(dialled);
  const source: CallSource = { side: 'browser', aor, endpointId };
  return { requestUri: `sip:${escapedUser(number)}@${host}`, from: aor, source, contacts, notes: [] };
}

function ofTrunk(config: Config, { dialled, as }: RehearsalRequest, fromTrunk: string): RehearsedSource {
  const trunk = config.trunks.find(({ name }) => name === fromTrunk);
  if (trunk === undefined) throw new UnknownCaller(`there is no trunk ${fromTrunk}`);
  const source: CallSource = {
    side: 'trunk',
    trunk: fromTrunk,
    remote: 'rehearsal',
    media: { profile: 'plain' },
  };
  const from = as === undefined ? 'sip:anonymous@anonymous.invalid' : `sip:${escapedUser(as)}@trunk.invalid`;
  const contacts = new PbxContacts();
  const [user, host] = splitUser(dialled);
  const pbxDomains = config.domains.filter(({ pbxTrunk }) => pbxTrunk === fromTrunk);
  if (host !== undefined && pbxDomains.some(({ name }) => name === host)) {
    const token = register(contacts, `sip:${escapedUser(user)}@${host}`, fromTrunk);
    const notes = [`${dialled} is taken to be registered at ${fromTrunk}`];
    return { requestUri: `sip:${token}@${host}`, from, source, contacts, notes };
  }
  const notes = pbxDomains.map(
    ({ name }) => `a browser that is registered there is dialled as ${user}@${name}`,
  );
  const requestUri = `sip:${escapedUser(user)}@${host ?? config.domains[0]?.name ?? 'localhost'}`;
  return { requestUri, from, source, contacts, notes };
}

function register(contacts: PbxContacts, aor: string, trunk: string): string {
  const token = contacts.tokenOf({ aor, instanceId: undefined, contact: aor, contactIsRandom: false });
  contacts.set({ token, aor, trunk, host: '', endpointId, contactUri: aor });
  return token;
}

/**
 * A user of the configuration, of the first domain that has it when none is named. Whom a domain has whose PBX knows the passwords,
 * or whose users bring tokens, we do not know: there everybody is.
 */
function userIn(
  config: Config,
  as: string,
): { readonly name: string; readonly domain: Pick<DomainConfig, 'name' | 'pbxTrunk'> } {
  const [name, named] = splitUser(as);
  const credentials = createCredentials(config);
  const possible = config.domains.filter((domain) => named === undefined || domain.name === named);
  const own = possible.find((domain) => credentials.find(name, domain.name) !== undefined);
  const domain =
    own ?? possible.find(({ pbxTrunk, usesTokens }) => pbxTrunk !== undefined || usesTokens === true);
  if (domain === undefined) throw new UnknownCaller(`there is no user ${as}`);
  return { name, domain };
}

function splitUser(text: string): readonly [user: string, domain?: string] {
  const at = text.lastIndexOf('@');
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1).toLowerCase()];
}
