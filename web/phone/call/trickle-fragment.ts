/** The Info Package of candidates, and the type of its bodies (RFC 8840 §9, §10). */
export const tricklePackage = 'trickle-ice';
export const trickleContentType = 'application/trickle-ice-sdpfrag';

/** A candidate as `RTCPeerConnection.addIceCandidate` takes it; an empty one is the end of them. */
export interface TrickledCandidate {
  readonly candidate: string;
  readonly sdpMid: string;
  readonly usernameFragment: string;
}

interface MediaLine {
  readonly mid: string;
  readonly candidates: readonly string[];
}

/** Does this `Recv-Info` name the package (RFC 6086 §5.2)? */
export function takesTrickle(recvInfo: string | undefined): boolean {
  return recvInfo?.split(',').some((name) => name.trim().toLowerCase() === tricklePackage) === true;
}

/**
 * The candidates of a description that were not in what the other side has been told, as a fragment for it; undefined when
 * there are none.
 *
 * @param told the description and the fragments that have been sent
 * @param isComplete no more will come
 */
export function lateCandidates(description: string, told: string, isComplete: boolean): string | undefined {
  const said = new Set(linesOf(told));
  const end = 'a=end-of-candidates';
  const ufrag = valueOf(description, 'ice-ufrag');
  const pwd = valueOf(description, 'ice-pwd');
  const added = mediaLinesOf(description)
    .map(({ mid, candidates }) => ({ mid, candidates: candidates.filter((line) => !said.has(line)) }))
    .filter(({ candidates }) => candidates.length > 0);
  const tellsEnd = isComplete && !said.has(end);
  if (ufrag === undefined || pwd === undefined || (added.length === 0 && !tellsEnd)) return undefined;
  const lines = [`a=ice-ufrag:${ufrag}`, `a=ice-pwd:${pwd}`];
  // The m= lines of a fragment only carry their mids (RFC 8840 §9.2).
  for (const { mid, candidates } of added) lines.push('m=audio 9 RTP/AVP 0', `a=mid:${mid}`, ...candidates);
  if (tellsEnd) lines.push(end);
  return [...lines, ''].join('\r\n');
}

/** The candidates of a fragment, and their end when it says so. Lines that are something else are passed over. */
export function candidatesIn(fragment: string): readonly TrickledCandidate[] {
  const usernameFragment = valueOf(fragment, 'ice-ufrag');
  if (usernameFragment === undefined) return [];
  const isEnd = linesOf(fragment).includes('a=end-of-candidates');
  return mediaLinesOf(fragment).flatMap(({ mid, candidates }) =>
    [...candidates.map((line) => line.slice(2)), ...(isEnd ? [''] : [])].map((candidate) => ({
      candidate,
      sdpMid: mid,
      usernameFragment,
    })),
  );
}

function mediaLinesOf(text: string): readonly MediaLine[] {
  return text
    .split(/^m=/m)
    .slice(1)
    .flatMap((section) => {
      const mid = valueOf(section, 'mid');
      const candidates = linesOf(section).filter((line) => line.startsWith('a=candidate:'));
      return mid === undefined ? [] : [{ mid, candidates }];
    });
}

function valueOf(text: string, attribute: string): string | undefined {
  const start = `a=${attribute}:`;
  return linesOf(text)
    .find((line) => line.startsWith(start))
    ?.slice(start.length);
}

function linesOf(text: string): readonly string[] {
  return text.split(/\r?\n/);
}
