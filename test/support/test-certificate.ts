import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** PEM texts. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

/** An authority of the test's own, and what it signs. */
export interface TestAuthority {
  /** PEM. */
  readonly ca: string;
  /** A certificate for `names`, such as `DNS:localhost` or `URI:sip:example.com`. */
  issue(...names: string[]): TestCertificate;
}

const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];

/** Undefined when there is no `openssl` program. */
export function makeTestAuthority(): TestAuthority | undefined {
  const root = request(['-subj', '/CN=test authority', '-addext', 'keyUsage=keyCertSign']);
  if (root === undefined) return undefined;
  return {
    ca: root.cert,
    issue(...names) {
      const extensions = [
        '-addext',
        `subjectAltName=${names.join(',')}`,
        '-addext',
        'basicConstraints=CA:FALSE',
      ];
      const issued = request(['-subj', '/CN=test', ...extensions], root);
      if (issued === undefined) throw new Error('openssl is gone');
      return issued;
    },
  };
}

/** A fresh self-signed certificate for localhost, as PEM texts; undefined when there is no `openssl` program. */
export function makeTestCertificate(): TestCertificate | undefined {
  return request(['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']);
}

/** A certificate, signed by `issuer` or by itself. */
function request(names: readonly string[], issuer?: TestCertificate): TestCertificate | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'webtrunk-tls-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const [caKey, ca] = [join(folder, 'ca-key.pem'), join(folder, 'ca.pem')];
  try {
    if (issuer !== undefined) {
      writeFileSync(caKey, issuer.key);
      writeFileSync(ca, issuer.cert);
    }
    const signing = issuer === undefined ? [] : ['-CA', ca, '-CAkey', caKey];
    const files = ['-keyout', key, '-out', cert];
    execFileSync('openssl', ['req', '-x509', ...curve, ...names, ...signing, ...files], { stdio: 'pipe' });
    return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
