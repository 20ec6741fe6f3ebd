import { serializeVia, splitCommaList, type SipRequest, type Via } from '../../sip/message/index.js';

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
  const others = line.includes(',') ? splitCommaList(line).slice(1) : [];
  headers.prepend('Via', [serializeVia(topVia), ...others].join(', '));
  return { ...request, topVia };
}
