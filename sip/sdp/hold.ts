import { SipFailure } from '../failure.js';
import { isUnspecified, receives } from './direction.js';
import { isLive } from './profile.js';
import { parseSession } from './session.js';

/**
 * True when the sender of this description wants to receive no audio: hold by direction, or by `c=0.0.0.0` from a peer
 * of RFC 2543 (RFC 3264 §8.4). A description that cannot be read holds nobody.
 */
export function isHold(sdp: string): boolean {
  const session = parseSession(sdp);
  if (session instanceof SipFailure) return false;
  const audio = session.media.find((section) => section.kind === 'audio' && isLive(section));
  if (audio === undefined) return false;
  if (!receives(audio.direction)) return true;
  return audio.ice === undefined && audio.address !== undefined && isUnspecified(audio.address.host);
}
