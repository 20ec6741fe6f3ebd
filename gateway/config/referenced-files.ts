import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { CrossFinding } from './cross-checks.js';
import type { Path } from './problem.js';
import type { ConfigFile } from './schema.js';

/** The texts of the files that a configuration names. */
export interface ReferencedFiles {
  readonly cert: string | undefined;
  readonly key: string | undefined;
  /** One per domain, in order. */
  readonly htdigest: readonly (string | undefined)[];
}

const htdigestLine = /^[^:]+:[^:]+:[0-9a-fA-F]{32}$/;

/** Reads the files that are named in the sections; relative names start at the folder of the configuration file. */
export async function readReferencedFiles(
  sections: Partial<ConfigFile>,
  file: string,
): Promise<{ readonly files: ReferencedFiles; readonly findings: readonly CrossFinding[] }> {
  const findings: CrossFinding[] = [];
  const read = async (name: string, path: Path): Promise<string | undefined> => {
    try {
      return await readFile(resolve(dirname(file), name), 'utf8');
    } catch (cause) {
      findings.push({
        path,
        problem: `${name} cannot be read: ${codeOf(cause)}`,
        fix: 'check the name and the rights',
      });
      return undefined;
    }
  };
  const https = sections.listen?.https;
  const cert = https === undefined ? undefined : await read(https.cert, ['listen', 'https', 'cert']);
  const key = https === undefined ? undefined : await read(https.key, ['listen', 'https', 'key']);
  findings.push(...checkPair(cert, key));
  const htdigest: (string | undefined)[] = [];
  for (const [index, { users_file: name, name: domain }] of (sections.domains ?? []).entries()) {
    const path = ['domains', index, 'users_file'];
    const text = name === undefined ? undefined : await read(name, path);
    if (text !== undefined) findings.push(...checkHtdigest(text, domain.toLowerCase(), path));
    htdigest.push(text);
  }
  return { files: { cert, key, htdigest }, findings };
}

function checkPair(cert: string | undefined, key: string | undefined): CrossFinding[] {
  const path = ['listen', 'https'];
  const certificate = cert === undefined ? undefined : attempt(() => new X509Certificate(cert));
  const privateKey = key === undefined ? undefined : attempt(() => createPrivateKey(key));
  const found: CrossFinding[] = [];
  const fix = 'give a PEM file';
  if (cert !== undefined && certificate === undefined) {
    found.push({ path: [...path, 'cert'], problem: 'no certificate in this file', fix });
  }
  if (key !== undefined && privateKey === undefined) {
    found.push({ path: [...path, 'key'], problem: 'no private key in this file', fix });
  }
  if (certificate === undefined || privateKey === undefined || certificate.checkPrivateKey(privateKey))
    return found;
  return [
    { path: [...path, 'key'], problem: 'the key is not that of the certificate', fix: 'name the pair' },
  ];
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

function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
}
