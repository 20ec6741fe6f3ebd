import type { CrossFinding } from './problem.js';
import type { ConfigFile } from './schema.js';

/** DTMF between INFO and RTP is the work of whoever sees the RTP: only the relay does it. */
export function checkDtmf({ media, trunks = [] }: Partial<ConfigFile>): CrossFinding[] {
  if (media === undefined || media.engine === 'relay') return [];
  return trunks.flatMap(({ media: { dtmf } }, index) => {
    if (dtmf === 'rfc4733') return [];
    const problem = `DTMF is not taken from RTP, nor put into it, with engine: ${media.engine}`;
    const fix = 'write dtmf: rfc4733, or media.engine: relay';
    return [{ path: ['trunks', index, 'media', 'dtmf'], problem, fix }];
  });
}
