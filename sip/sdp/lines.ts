import type { MediaSection, SdpProfile, SdpSession } from './description.js';
import { isLive } from './profile.js';

/** An m-line keeps its position for the whole dialog, used or not (RFC 3264 §8). */
export interface RememberedLine {
  readonly kind: string;
  readonly protocol: string;
  readonly formats: readonly string[];
  readonly mid?: string;
}

export function remember(line: MediaSection): RememberedLine {
  const { kind, protocol, formats, mid } = line;
  return { kind, protocol, formats, ...(mid === undefined ? {} : { mid }) };
}

/** A line that we do not carry, kept in its place with port 0 (RFC 3264 §6). */
export function switchedOff(line: RememberedLine, profile: SdpProfile): MediaSection {
  return {
    kind: line.kind,
    port: 0,
    protocol: line.protocol,
    formats: line.formats,
    codecs: [],
    address: { family: 4, host: '0.0.0.0' },
    direction: 'inactive',
    rtcpMux: false,
    bundleOnly: false,
    ...(line.mid === undefined || profile === 'plain' ? {} : { mid: line.mid }),
    candidates: [],
    endOfCandidates: false,
  };
}

/** Positions of the lines of a kind that are switched on, the one in use first. */
export function liveLines(session: SdpSession, kind: string, inUse: number | undefined): readonly number[] {
  const live = session.media.flatMap((section, index) =>
    section.kind === kind && isLive(section) ? [index] : [],
  );
  return live.sort((a, b) => Number(b === inUse) - Number(a === inUse));
}

/** The first number that is no line's mid yet (RFC 8843 asks for unique ones). */
export function freeMid(lines: readonly RememberedLine[]): string {
  const used = new Set(lines.map((line) => line.mid));
  let mid = 0;
  while (used.has(String(mid))) mid += 1;
  return String(mid);
}
