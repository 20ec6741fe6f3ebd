import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { CrossFinding, Path } from './problem.js';

const fix = 'give a PEM file';

/** What is wrong with a certificate and its key; `path` is that of the section whose keys they are. */
export function checkPair(cert: string | undefined, key: string | undefined, path: Path): CrossFinding[] {
  const found = cert === undefined ? [] : checkCertificate(cert, [...path, 'cert']);
  const privateKey = key === undefined ? undefined : attempt(() => createPrivateKey(key));
  if (key !== undefined && privateKey === undefined) {
    found.push({ path: [...path, 'key'], problem: 'no private key in this file', fix });
  }
  const certificate = cert === undefined ? undefined : attempt(() => new X509Certificate(cert));
  if (certificate === undefined || privateKey === undefined || certificate.checkPrivateKey(privateKey))
    return found;
  const problem = 'the key is not that of the certificate';
  return [...found, { path: [...path, 'key'], problem, fix: 'name the pair' }];
}

/** What is wrong with a file of certificates. */
export function checkCertificate(text: string, path: Path): CrossFinding[] {
  if (attempt(() => new X509Certificate(text)) !== undefined) return [];
  return [{ path, problem: 'no certificate in this file', fix }];
}

function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
