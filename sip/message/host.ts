import { isDigits, isHex, isHostName, lowerSlice } from './chars.js';

/** A host with an optional port, and where it ended. */
export interface HostPort {
  /** Lower-case; IPv6 in brackets. */
  readonly host: string;
  readonly port: number | undefined;
}

const COLON = 0x3a;

/** Whether the range is an IPv6 address (RFC 4291 §2.2), without zone. */
function isIpv6(text: string, start: number, end: number): boolean {
  let groups = 0;
  let compressed = false;
  let at = start;
  if (text.startsWith('::', start)) {
    compressed = true;
    at = start + 2;
  }
  while (at < end) {
    let next = at;
    while (next < end && isHex(text.charCodeAt(next))) next++;
    if (text.charCodeAt(next) === 0x2e && next < end)
      return isIpv4(text, at, end) && isGroupCount(groups + 2, compressed);
    if (next === at || next - at > 4) return false;
    groups++;
    if (next === end) return isGroupCount(groups, compressed);
    if (text.charCodeAt(next) !== COLON || next + 1 === end) return false;
    at = next + 1;
    if (text.charCodeAt(at) === COLON) {
      if (compressed) return false;
      compressed = true;
      at++;
    }
  }
  return compressed && isGroupCount(groups, compressed);
}

function isGroupCount(groups: number, compressed: boolean): boolean {
  return compressed ? groups < 8 : groups === 8;
}

function isIpv4(text: string, start: number, end: number): boolean {
  let parts = 0;
  let at = start;
  while (at <= end) {
    let next = at;
    while (next < end && text.charCodeAt(next) !== 0x2e) next++;
    if (next - at > 3 || !isDigits(text, at, next) || Number(text.slice(at, next)) > 255) return false;
    parts++;
    at = next + 1;
  }
  return parts === 4;
}

/** Whether that is an IPv6 address without brackets. */
export function isIpv6Address(text: string): boolean {
  return isIpv6(text, 0, text.length);
}

/** Parses a decimal port; -1 when it is none. */
function parsePort(text: string, start: number, end: number): number {
  if (end - start > 5 || !isDigits(text, start, end)) return -1;
  const port = Number(text.slice(start, end));
  return port > 0xffff ? -1 : port;
}

/** Parses `host`, `host:port`, `[v6]` or `[v6]:port` that fill the range exactly; undefined otherwise. */
export function parseHostPort(text: string, start: number, end: number): HostPort | undefined {
  let hostEnd = start;
  if (text.charCodeAt(start) === 0x5b) {
    const close = text.indexOf(']', start);
    if (close === -1 || close >= end || !isIpv6(text, start + 1, close)) return undefined;
    hostEnd = close + 1;
  } else {
    while (hostEnd < end && text.charCodeAt(hostEnd) !== COLON) hostEnd++;
    if (!isHostName(text, start, hostEnd)) return undefined;
  }
  const host = lowerSlice(text, start, hostEnd);
  if (hostEnd === end) return { host, port: undefined };
  if (text.charCodeAt(hostEnd) !== COLON) return undefined;
  const port = parsePort(text, hostEnd + 1, end);
  return port === -1 ? undefined : { host, port };
}
