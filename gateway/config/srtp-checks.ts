import type { CrossFinding } from './problem.js';
import type { ConfigFile } from './schema.js';

/** SRTP is the work of whoever carries the packets: only rtpengine knows it towards trunks. */
export function checkSrtp({ media, trunks = [] }: Partial<ConfigFile>): CrossFinding[] {
  if (media === undefined || media.engine === 'rtpengine') return [];
  return trunks.flatMap(({ media: { srtp } }, index) => {
    if (srtp === 'off') return [];
    const problem = `with engine: ${media.engine} there is no SRTP towards trunks`;
    const fix = 'write srtp: off, or media.engine: rtpengine';
    return [{ path: ['trunks', index, 'media', 'srtp'], problem, fix }];
  });
}
