import type { Notice, Party } from '../state/call-state.js';
import { failureWords, readReason } from '../words/failure-words.js';
import { duration } from '../words/call-words.js';

/** Our call was refused. */
export function refusedNotice(status: number, reason: string, warning: string | undefined): Notice {
  const words = failureWords(status, reason);
  const detail = warning === undefined ? words.detail : `${words.detail} (${warning})`;
  return { tone: 'problem', title: words.title, detail };
}

/** The other side hung up; a Reason header tells when it was a failure rather than a person (RFC 3326). */
export function hungUpNotice(reasonHeader: string | undefined, lastedMs: number): Notice {
  const reason = readReason(reasonHeader);
  if (reason === undefined || reason.cause < 400) return endedNotice(lastedMs);
  const detail = `${reason.cause} ${reason.text}`.trim();
  return { tone: 'problem', title: 'The call was cut off', detail };
}

/** The call ended as calls do. */
export function endedNotice(lastedMs: number): Notice {
  return { tone: 'info', title: 'Call ended', detail: duration(lastedMs) };
}

/** A call to us stopped ringing before we answered. */
export function missedNotice(party: Party, reasonHeader: string | undefined): Notice {
  const reason = readReason(reasonHeader);
  if (reason?.cause === 200) return { tone: 'info', title: 'Answered on another device', detail: party.name };
  return { tone: 'info', title: `Missed call from ${party.name}`, detail: party.address };
}
