import type { Direction, MediaSection, SdpProfile } from './description.js';

export function sends(direction: Direction): boolean {
  return direction === 'sendrecv' || direction === 'sendonly';
}

export function receives(direction: Direction): boolean {
  return direction === 'sendrecv' || direction === 'recvonly';
}

export function directionOf(sending: boolean, receiving: boolean): Direction {
  if (sending) return receiving ? 'sendrecv' : 'sendonly';
  return receiving ? 'recvonly' : 'inactive';
}

/** True for the addresses that mean `nowhere`: 0.0.0.0 and `::`. */
export function isUnspecified(host: string): boolean {
  return host === '0.0.0.0' || host === '::' || host === '0:0:0:0:0:0:0:0';
}

/**
 * The direction that a section means. A plain end that gives `c=0.0.0.0` wants no media sent to it: the hold of
 * RFC 2543, still valid by RFC 3264 §8.4. A webrtc end writes 0.0.0.0 while it trickles and means nothing by it.
 */
export function effectiveDirection(section: MediaSection, profile: SdpProfile): Direction {
  if (profile === 'webrtc' || section.address === undefined || !isUnspecified(section.address.host)) {
    return section.direction;
  }
  return directionOf(sends(section.direction), false);
}

/** The nearest direction to `answer` that may answer `offer` (RFC 3264 §6.1). */
export function answerTo(offer: Direction, answer: Direction): Direction {
  return directionOf(sends(answer) && receives(offer), receives(answer) && sends(offer));
}
