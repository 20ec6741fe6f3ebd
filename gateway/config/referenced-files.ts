import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { checkCertificate, checkPair } from './certificate-checks.js';
import { readKeys } from './signing-keys.js';
import type { CrossFinding, Path } from './problem.js';
import type { ConfigFile } from './schema.js';

/** A certificate and its key; each undefined when none is named. */
export interface PairFiles {
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/** The texts of the files that a configuration names. */
export interface ReferencedFiles {
  readonly https: PairFiles;
  readonly sipTls: PairFiles & { readonly clientCa: string | undefined };
  readonly drachtioCa: string | undefined;
  readonly jwtKeys: string | undefined;
  /** One per trunk, in order. */
  readonly trunkTls: readonly (PairFiles & { readonly ca: string | undefined })[];
  /** One per domain, in order. */
  readonly htdigest: readonly (string | undefined)[];
}

const htdigestLine = /^[^:]+:[^:]+:[0-9a-fA-F]{32}$/;

/** Reads the files that are named in the sections; relative names start at the folder of the configuration file. */
export async function readReferencedFiles(
  sections: Partial<ConfigFile>,
  file: string,
): Promise<{ readonly files: ReferencedFiles; readonly findings: readonly CrossFinding[] }> {
  const reader = new FileReader(dirname(file));
  const https = await reader.pair(sections.listen?.https, ['listen', 'https']);
  const sipTlsPath = ['sip', 'embedded', 'tls'];
  const named = sections.sip?.embedded.tls;
  const sipTls = await reader.pair(named, sipTlsPath);
  const clientCa = await reader.authorities(named?.client_ca, [...sipTlsPath, 'client_ca']);
  const drachtioCa = await reader.authorities(sections.sip?.drachtio?.tls?.ca, [
    'sip',
    'drachtio',
    'tls',
    'ca',
  ]);
  const jwtKeys = await reader.keys(sections.jwt);
  const trunkTls = [];
  for (const [index, { tls }] of (sections.trunks ?? []).entries()) {
    const path = ['trunks', index, 'tls'];
    const ca = await reader.authorities(tls?.ca, [...path, 'ca']);
    trunkTls.push({ ca, ...(await reader.pair(tls, path)) });
  }
  const htdigest: (string | undefined)[] = [];
  for (const [index, { users_file: name, name: domain }] of (sections.domains ?? []).entries()) {
    htdigest.push(await reader.users(name, domain.toLowerCase(), ['domains', index, 'users_file']));
  }
  const files = { https, sipTls: { ...sipTls, clientCa }, drachtioCa, jwtKeys, trunkTls, htdigest };
  return { files, findings: reader.findings };
}

/** Reads files and checks that they hold what they are for. */
class FileReader {
  readonly findings: CrossFinding[] = [];

  constructor(private readonly folder: string) {}

  async pair(
    named: { readonly cert?: string | undefined; readonly key?: string | undefined } | undefined,
    path: Path,
  ): Promise<PairFiles> {
    const cert = await this.#read(named?.cert, [...path, 'cert']);
    const key = await this.#read(named?.key, [...path, 'key']);
    this.findings.push(...checkPair(cert, key, path));
    return { cert, key };
  }

  async authorities(name: string | undefined, path: Path): Promise<string | undefined> {
    const text = await this.#read(name, path);
    if (text !== undefined) this.findings.push(...checkCertificate(text, path));
    return text;
  }

  /** Checks the keys of tokens, whether they are in a file or not; gives the text of the file. */
  async keys(jwt: ConfigFile['jwt']): Promise<string | undefined> {
    if (jwt === undefined) return undefined;
    const { keys_file: name, public_key: own, algorithms } = jwt;
    const path = ['jwt', own === undefined ? 'keys_file' : 'public_key'];
    const text = await this.#read(name, path);
    const keys = own ?? text;
    if (keys === undefined) return undefined;
    try {
      await readKeys(keys, algorithms);
    } catch {
      const problem = `it is neither a JWK set nor a public key for ${algorithms.join(', ')}`;
      this.findings.push({ path, problem, fix: 'write it as PEM with BEGIN PUBLIC KEY, or as a JWK set' });
    }
    return text;
  }

  async users(name: string | undefined, domain: string, path: Path): Promise<string | undefined> {
    const text = await this.#read(name, path);
    if (text !== undefined) this.findings.push(...checkHtdigest(text, domain, path));
    return text;
  }

  async #read(name: string | undefined, path: Path): Promise<string | undefined> {
    if (name === undefined) return undefined;
    try {
      return await readFile(resolve(this.folder, name), 'utf8');
    } catch (cause) {
      const problem = `${name} cannot be read: ${codeOf(cause)}`;
      this.findings.push({ path, problem, fix: 'check the name and the rights' });
      return undefined;
    }
  }
}

function checkHtdigest(text: string, domain: string, path: Path): CrossFinding[] {
  const found: CrossFinding[] = [];
  let users = 0;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line === '' || line.startsWith('#')) continue;
    if (!htdigestLine.test(line)) {
      const problem = `line ${index + 1} of the users file is not user:realm:HA1`;
      found.push({ path, problem, fix: 'write it with htdigest' });
    } else if (line.split(':')[1] === domain) users += 1;
  }
  if (users === 0 && found.length === 0) {
    const problem = `no line of the users file has the realm ${domain}`;
    found.push({ path, problem, fix: `htdigest FILE ${domain} USER` });
  }
  return found;
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
}
