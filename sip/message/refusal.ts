import { failure, failureCatalogue, type FailureCode } from '../failure.js';
import type { ScannedHead } from './head.js';
import type { ParseFailure } from './message.js';
import { statelessTag } from './to-tag.js';

export interface Refusal {
  readonly code: FailureCode;
  /** Reason phrase that names what is wrong. */
  readonly reason: string;
}

/**
 * The failure of a message that cannot be read, with a ready response when it is a request (`method`) other than ACK
 * whose Via, From, To, Call-ID and CSeq can be copied (RFC 3261 §8.2.6.2).
 */
export function refuse(refusal: Refusal, method?: string, head?: ScannedHead): ParseFailure {
  const { code, reason } = refusal;
  const reply =
    method === undefined || method === 'ACK' || head === undefined
      ? undefined
      : replyTo(head, failureCatalogue[code].status, reason);
  return { kind: 'failure', failure: failure(code, { reason, detail: reason }), reply };
}

function replyTo(head: ScannedHead, status: number, reason: string): Buffer | undefined {
  const { via, from, to, callId, cseq } = head;
  if (
    via === undefined ||
    from === undefined ||
    to === undefined ||
    callId === undefined ||
    cseq === undefined
  ) {
    return undefined;
  }
  // U+FFFD stands for bytes that we could not copy: the sender would not recognise its own request.
  if (`${via}${paramsOf(from)}${paramsOf(to)}${callId}${cseq}`.includes('\ufffd')) return undefined;
  const vias = head.headers.getAll('Via').map((value) => `Via: ${value}\r\n`);
  const taggedTo = hasTag(to) ? to : `${to};tag=${statelessTag(via, callId, cseq)}`;
  const text =
    `SIP/2.0 ${status} ${reason}\r\n${vias.join('')}From: ${from}\r\nTo: ${taggedTo}\r\n` +
    `Call-ID: ${callId}\r\nCSeq: ${cseq}\r\nContent-Length: 0\r\n\r\n`;
  return Buffer.from(text, 'utf8');
}

/** What follows the address in a raw From or To, which may be malformed. */
function paramsOf(value: string): string {
  return value.slice(value.lastIndexOf('>') + 1);
}

function hasTag(to: string): boolean {
  return paramsOf(to).toLowerCase().replaceAll(' ', '').replaceAll('\t', '').includes(';tag=');
}
