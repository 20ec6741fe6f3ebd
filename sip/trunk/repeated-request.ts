import { isIP } from 'node:net';
import { parseUri } from '../message/index.js';
import type { SrfRequest, SrfResponse } from './srf-types.js';

/** CSeq of a request outside dialogs that is sent again with credentials (RFC 3261 §22.2). */
export function nextSequence(sent: SrfRequest): readonly [name: string, value: string] {
  const sequence = Number.parseInt(sent.get('CSeq') ?? '', 10) || 0;
  return ['CSeq', `${sequence + 1} ${sent.method}`];
}

/**
 * The hop that the challenge came from: other hosts behind the same name may not know its nonce. With TLS the name stays, for
 * the certificate has to prove it.
 */
export function hopOfChallenger(nextHop: string, challenge: SrfResponse): string {
  const uri = parseUri(nextHop);
  const { protocol = '', source_address: address = '', source_port: port } = challenge;
  const transport = protocol.toLowerCase();
  if (uri?.scheme !== 'sip' || isAddress(uri.host) || address === '' || port === undefined) return nextHop;
  if (transport !== 'udp' && transport !== 'tcp') return nextHop;
  const host = isIP(address) === 6 ? `[${address}]` : address;
  return `sip:${host}:${port};transport=${transport}`;
}

const isAddress = (host: string): boolean => isIP(host.replace(/^\[|\]$/g, '')) !== 0;
