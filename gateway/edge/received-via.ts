import { serializeVia, type SipRequest, type Via } from '../../sip/message/index.js';

/**
 * Notes in the topmost Via where the request really came from (RFC 3261 §18.2.1, RFC 3581 §4): `received` always, since
 * a browser's sent-by is a made-up name, and `rport` when it is asked for. What the client wrote there is overwritten.
 */
export function noteReceived(request: SipRequest, address: string, port: number): SipRequest {
  const params = new Map(request.topVia.params);
  params.set('received', address);
  if (params.has('rport')) params.set('rport', String(port));
  const topVia: Via = { ...request.topVia, params };
  const { headers } = request;
  const line = headers.removeFirst('via') ?? '';
  const rest = afterFirstValue(line);
  headers.prepend('Via', rest === '' ? serializeVia(topVia) : `${serializeVia(topVia)},${rest}`);
  return { ...request, topVia };
}

/** What follows the first comma outside quotes of a header line that holds several Via values. */
function afterFirstValue(line: string): string {
  let quoted = false;
  for (let at = 0; at < line.length; at += 1) {
    const character = line[at];
    if (character === '\\' && quoted) at += 1;
    else if (character === '"') quoted = !quoted;
    else if (character === ',' && !quoted) return line.slice(at + 1);
  }
  return '';
}
