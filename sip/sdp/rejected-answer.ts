import { linesOf } from './scan.js';

/**
 * An answer that refuses every stream of the offer (RFC 3264 §6): for an offer that must be answered before the call ends
 * (RFC 3261 §13.2.2.4).
 */
export function rejectedAnswer(offer: string): string {
  const lines = ['v=0', 'o=- 0 0 IN IP4 0.0.0.0', 's=-', 'c=IN IP4 0.0.0.0', 't=0 0'];
  for (const line of linesOf(offer)) {
    if (line.startsWith('m=')) lines.push(line.replace(/^(m=\S+) \S+/, '$1 0'));
    else if (line.startsWith('a=mid:')) lines.push(line);
  }
  return [...lines, ''].join('\r\n');
}
