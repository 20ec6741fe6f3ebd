import { BlockList, isIP } from 'node:net';
import { linesOf } from './scan.js';

/** Addresses that mean something on one network only: RFC 1918, RFC 6598, RFC 4193, link-local and loopback. */
const privateRanges = createPrivateRanges();

function createPrivateRanges(): BlockList {
  const list = new BlockList();
  const four = [
    ['10.0.0.0', 8],
    ['172.16.0.0', 12],
    ['192.168.0.0', 16],
    ['100.64.0.0', 10],
    ['169.254.0.0', 16],
    ['127.0.0.0', 8],
  ] as const;
  const six = [
    ['fc00::', 7],
    ['fe80::', 10],
    ['::1', 128],
  ] as const;
  for (const [net, prefix] of four) list.addSubnet(net, prefix, 'ipv4');
  for (const [net, prefix] of six) list.addSubnet(net, prefix, 'ipv6');
  return list;
}

/** True for an address literal that tells about the network behind the end. A name (mDNS) tells nothing: false. */
export function isPrivateHost(host: string): boolean {
  const [literal = ''] = host.split('%', 1);
  const family = isIP(literal);
  return family !== 0 && privateRanges.check(literal, family === 4 ? 'ipv4' : 'ipv6');
}

/**
 * Takes private addresses out of a description, or of a trickle fragment, that is passed on as it is: candidates of such
 * addresses go, the related address of others becomes `0.0.0.0` (RFC 8839 §5.1), a `c=`, `o=` or `a=rtcp` that names one
 * becomes the unspecified one. All other lines stay. Both ends then need a public address or a relay (TURN) between them.
 */
export function withoutPrivateCandidates(sdp: string): string {
  const kept: string[] = [];
  let mediaAt = -1;
  for (const line of linesOf(sdp)) {
    if (line.startsWith('m=')) mediaAt = kept.length;
    const filtered = filterLine(line);
    if (filtered === undefined) continue;
    // The port belongs to the address that is not told (RFC 8839 §4.1.1: 9 when there is no default candidate).
    if (filtered !== line && line.startsWith('c=') && mediaAt >= 0) {
      kept[mediaAt] = withDiscardPort(kept[mediaAt] ?? '');
    }
    kept.push(filtered);
  }
  return kept.length === 0 ? '' : [...kept, ''].join('\r\n');
}

/** The line without what must not be told; undefined when nothing is left of it. */
function filterLine(line: string): string | undefined {
  if (line.startsWith('a=candidate:')) return filterCandidate(line);
  if (line.startsWith('c=') || line.startsWith('o=') || line.startsWith('a=rtcp:'))
    return filterAddress(line);
  return line;
}

function filterCandidate(line: string): string | undefined {
  const words = line.split(' ');
  if (isPrivateHost(words[4] ?? '')) return undefined;
  const at = words.indexOf('raddr');
  if (at === -1 || !isPrivateHost(words[at + 1] ?? '')) return line;
  words[at + 1] = isIP(words[at + 1] ?? '') === 6 ? '::' : '0.0.0.0';
  if (words[at + 2] === 'rport') words[at + 3] = '9';
  return words.join(' ');
}

/** `… IN IP4 192.168.0.2`: the address is the last word, `/ttl` behind it aside. */
function filterAddress(line: string): string {
  const at = line.lastIndexOf(' ') + 1;
  const [host = ''] = line.slice(at).split('/', 1);
  if (!isPrivateHost(host)) return line;
  // Browsers write 127.0.0.1 into o= whatever their address is: it tells nothing.
  if (line.startsWith('o=') && host === '127.0.0.1') return line;
  return line.slice(0, at) + (isIP(host) === 6 ? '::' : '0.0.0.0');
}

/** An m-line that is on, with port 9 for its own. */
function withDiscardPort(line: string): string {
  const [kind = '', port = '', ...rest] = line.split(' ');
  return port === '0' ? line : [kind, '9', ...rest].join(' ');
}
