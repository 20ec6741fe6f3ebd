import { isToken, skipBlank, trimBlank } from './chars.js';
import { parseHostPort, type HostPort } from './host.js';
import type { Via } from './message.js';
import { parseParams, serializeParams } from './params.js';

const SEMICOLON = 0x3b;
const SLASH = 0x2f;

/** Index after `SIP / 2.0 /` with blanks allowed between the parts, or -1. */
function endOfProtocol(text: string, end: number): number {
  if (text.startsWith('SIP/2.0/')) return 8;
  const start = skipBlank(text, 0, end);
  if (text.slice(start, start + 3).toUpperCase() !== 'SIP') return -1;
  let at = skipBlank(text, start + 3, end);
  if (text.charCodeAt(at) !== SLASH) return -1;
  at = skipBlank(text, at + 1, end);
  if (!text.startsWith('2.0', at)) return -1;
  at = skipBlank(text, at + 3, end);
  return text.charCodeAt(at) === SLASH ? at + 1 : -1;
}

const knownTransports = new Map([
  ['UDP', 'UDP'],
  ['TCP', 'TCP'],
  ['TLS', 'TLS'],
  ['WS', 'WS'],
  ['WSS', 'WSS'],
]);

/** Parses one Via value, blanks as in RFC 3261 §25.1 allowed; undefined when it is malformed. */
export function parseVia(text: string): Via | undefined {
  const end = trimBlank(text, 0, text.length);
  const protocolEnd = endOfProtocol(text, end);
  if (protocolEnd === -1) return undefined;
  const transportStart = skipBlank(text, protocolEnd, end);
  let at = transportStart;
  while (at < end && text.charCodeAt(at) !== 0x20 && text.charCodeAt(at) !== 0x09) at++;
  if (!isToken(text, transportStart, at)) return undefined;
  const name = text.slice(transportStart, at);
  const hostStart = skipBlank(text, at, end);
  let paramsStart = hostStart;
  while (paramsStart < end && text.charCodeAt(paramsStart) !== SEMICOLON) paramsStart++;
  const hostPort = parseSentBy(text, hostStart, trimBlank(text, hostStart, paramsStart));
  if (hostPort === undefined) return undefined;
  const params = parseParams(text, paramsStart);
  if (params === undefined) return undefined;
  return {
    transport: knownTransports.get(name) ?? name.toUpperCase(),
    host: hostPort.host,
    port: hostPort.port,
    params,
  };
}

/** sent-by allows blanks around its colon (RFC 3261 §25.1). */
function parseSentBy(text: string, start: number, end: number): HostPort | undefined {
  const direct = parseHostPort(text, start, end);
  const colon = text.lastIndexOf(':', end - 1);
  if (direct !== undefined || colon <= start) return direct;
  const host = text.slice(start, trimBlank(text, start, colon));
  const sentBy = `${host}:${text.slice(skipBlank(text, colon + 1, end), end)}`;
  return parseHostPort(sentBy, 0, sentBy.length);
}

/** The Via value as text. */
export function serializeVia(via: Via): string {
  const sentBy = via.port === undefined ? via.host : `${via.host}:${via.port}`;
  return `SIP/2.0/${via.transport} ${sentBy}${serializeParams(via.params)}`;
}

/** The branch, or undefined when there is none (RFC 2543 peers). */
export function branchOf(via: Via): string | undefined {
  return via.params.get('branch') ?? undefined;
}
