import type { Config } from '../config/config.js';
import type { PreflightFinding } from './finding.js';

/** Keys in SDP are as secret as the signalling that carries them (RFC 4568 §8.3): without TLS SRTP hides nothing. */
export function checkSrtpKeys({ trunks }: Pick<Config, 'trunks'>): readonly PreflightFinding[] {
  return trunks.flatMap(({ hosts, media }, index) => {
    if ((media.srtp ?? 'off') === 'off') return [];
    const open = hosts.find(({ uri }) => !/^sips:|;transport=tls/i.test(uri));
    if (open === undefined) return [];
    const problem = `the keys go to ${open.uri} in clear text: who reads the signalling can listen`;
    const fix = 'add ;transport=tls to the hosts';
    return [{ level: 'warning', path: ['trunks', index, 'media', 'srtp'], problem, fix }];
  });
}
