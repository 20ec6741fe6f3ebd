import type { CrossFinding } from './problem.js';
import type { ConfigFile } from './schema.js';

/** Video is the work of whoever carries the packets: rtpengine has no BUNDLE, which browsers need to add it in a call. */
export function checkVideo({ media, trunks = [] }: Partial<ConfigFile>): CrossFinding[] {
  if (media?.engine !== 'rtpengine') return [];
  return trunks.flatMap(({ media: { video } }, index) => {
    if (video.length === 0) return [];
    const problem = 'with engine: rtpengine there is no video';
    const fix = 'leave it out, or write media.engine: relay';
    return [{ path: ['trunks', index, 'media', 'video'], problem, fix }];
  });
}
