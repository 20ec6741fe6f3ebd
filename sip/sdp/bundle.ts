import type { MediaSection, SdpProfile, SdpSession } from './description.js';

/** Mids of our lines towards a browser that share the first one's port (RFC 9143 §7.2). */
export function ownBundle(profile: SdpProfile, media: readonly MediaSection[]): readonly string[] {
  if (profile === 'plain') return [];
  const live = media.filter((section) => section.port !== 0);
  return live.flatMap(({ mid, port }) => (mid === undefined || port !== live[0]?.port ? [] : [mid]));
}

/**
 * A browser's section that goes over the transport of `tagged`, with that transport's parameters: they may stand in the
 * tagged section alone (RFC 9143 §7.1.3). Undefined when the two are not in one BUNDLE group.
 */
export function bundledSection(
  { bundle }: SdpSession,
  tagged: MediaSection | undefined,
  section: MediaSection | undefined,
): MediaSection | undefined {
  if (tagged === undefined || section === undefined) return undefined;
  if (![tagged, section].every(({ mid }) => mid !== undefined && bundle.includes(mid))) return undefined;
  const { ice, fingerprint, setup, rtcpMux } = tagged;
  return {
    ...section,
    rtcpMux,
    ...(ice === undefined ? {} : { ice }),
    ...(fingerprint === undefined ? {} : { fingerprint }),
    ...(setup === undefined ? {} : { setup }),
  };
}
