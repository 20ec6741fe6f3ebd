import { X509Certificate } from 'node:crypto';
import type { Clock } from '../../sip/clock.js';
import type { Config } from '../config/config.js';
import type { Path } from '../config/problem.js';
import type { PreflightFinding } from './finding.js';

const dayMs = 86_400_000;
const soonMs = 14 * dayMs;

/** Looks at the dates of every certificate that the configuration names. */
export function checkCertificates(config: Config, clock: Clock): readonly PreflightFinding[] {
  return certificatesOf(config).flatMap(({ path, text }) =>
    checkDates(path, new X509Certificate(text), clock),
  );
}

function certificatesOf({ listen, sip, trunks }: Config) {
  const named: { readonly path: Path; readonly text: string | undefined }[] = [
    { path: ['listen', 'https', 'cert'], text: listen.https?.cert },
  ];
  if (sip.engine === 'embedded') {
    const path = ['sip', 'embedded', 'tls'];
    named.push({ path: [...path, 'cert'], text: sip.tls?.cert });
    named.push({ path: [...path, 'client_ca'], text: sip.tls?.clientCa });
  }
  for (const [index, { tls }] of trunks.entries()) {
    const path = ['trunks', index, 'tls'];
    named.push({ path: [...path, 'ca'], text: tls?.ca });
    named.push({ path: [...path, 'cert'], text: tls?.certificate?.cert });
  }
  return named.flatMap(({ path, text }) => (text === undefined ? [] : [{ path, text }]));
}

function checkDates(path: Path, certificate: X509Certificate, clock: Clock): PreflightFinding[] {
  const nowMs = clock.nowMs();
  const untilMs = Date.parse(certificate.validTo);
  const fix = 'renew it; SIGHUP then takes the new one';
  if (untilMs <= nowMs) {
    const problem = `the certificate has expired (${certificate.validTo})`;
    return [{ level: 'problem', path, problem, fix }];
  }
  if (Date.parse(certificate.validFrom) > nowMs) {
    const problem = `the certificate is not valid before ${certificate.validFrom}`;
    return [{ level: 'problem', path, problem, fix: 'set the clock, or wait' }];
  }
  if (untilMs - nowMs > soonMs) return [];
  const days = Math.floor((untilMs - nowMs) / dayMs);
  return [{ level: 'warning', path, problem: `the certificate expires in ${days} days`, fix }];
}
