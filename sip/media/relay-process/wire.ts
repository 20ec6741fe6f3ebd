import { failure, failureCatalogue, toFailure, type FailureCode, type SipFailure } from '../../failure.js';
import type { DtmfTone, MediaEndOptions, MediaEndStats } from '../media-engine.js';

/** What a media process needs to know to start. */
export interface WorkerOptions {
  readonly address: string;
  readonly bindAddress?: string;
  readonly ports: { readonly min: number; readonly max: number };
  /** The one UDP port of all browsers in this process. */
  readonly browserPort?: number;
  readonly timeoutMs?: number;
  readonly restartGraceMs?: number;
  readonly startMs?: number;
  readonly quarantineMs?: number;
  readonly latchWindowMs?: number;
}

/** What webtrunk tells a media process. `session` is ours; `request` is repeated in the reply. */
export type ToWorker =
  | { readonly op: 'open'; readonly options: WorkerOptions }
  | { readonly op: 'create'; readonly session: string; readonly callId: string }
  | {
      readonly op: 'addEnd';
      readonly session: string;
      readonly endId: string;
      readonly options: MediaEndOptions;
    }
  | { readonly op: 'removeEnd' | 'refuse' | 'renewPath'; readonly session: string; readonly endId: string }
  | {
      readonly op: 'offer' | 'answer';
      readonly request: number;
      readonly session: string;
      readonly fromEndId: string;
      readonly toEndId: string;
      readonly sdp: string;
    }
  | {
      readonly op: 'sendDtmf';
      readonly request: number;
      readonly session: string;
      readonly endId: string;
      readonly tone: DtmfTone;
    }
  | { readonly op: 'stats'; readonly request: number; readonly session: string }
  | { readonly op: 'destroy'; readonly session: string }
  | { readonly op: 'close' };

/** A SipFailure as it crosses the border. */
export interface FailureText {
  readonly code: string;
  readonly status: number;
  readonly reason: string;
  readonly party: SipFailure['party'];
  readonly headers: SipFailure['headers'];
  readonly detail: string | undefined;
}

/** What a media process tells webtrunk. */
export type FromWorker =
  | { readonly op: 'ready' }
  | { readonly op: 'sdp'; readonly request: number; readonly sdp: string }
  | { readonly op: 'failed'; readonly request: number; readonly failure: FailureText }
  | { readonly op: 'stats'; readonly request: number; readonly stats: readonly MediaEndStats[] }
  | { readonly op: 'tone'; readonly request: number; readonly isTaken: boolean }
  | { readonly op: 'dtmf'; readonly session: string; readonly endId: string; readonly tone: DtmfTone }
  | {
      readonly op: 'timeout';
      readonly session: string;
      readonly endId: string;
      readonly failure: FailureText;
    }
  /** SRTP has refused so many packets since the last time. */
  | { readonly op: 'rejected'; readonly packets: number }
  /** So many packets have come to plain ends from elsewhere, since the last time. */
  | { readonly op: 'strays'; readonly packets: number }
  | { readonly op: 'sizes'; readonly sizes: Readonly<Record<string, number>> }
  | {
      readonly op: 'log';
      readonly level: 'debug' | 'info' | 'warn' | 'error';
      readonly fields: object;
      readonly message: string;
    };

/** Takes a failure apart; what is none becomes `gateway.internal`, with its text for the log. */
export function textOfFailure(thrown: unknown): FailureText {
  const { code, status, reason, party, headers, detail, cause } = toFailure(thrown);
  const why = detail ?? (cause instanceof Error ? cause.message : undefined);
  return { code, status, reason, party, headers, detail: why };
}

/** Puts a failure together again. */
export function failureOfText({ code, detail, ...rest }: FailureText): SipFailure {
  const known: FailureCode = isCode(code) ? code : 'gateway.internal';
  return failure(known, { ...rest, ...(detail === undefined ? {} : { detail }) });
}

function isCode(code: string): code is FailureCode {
  return Object.hasOwn(failureCatalogue, code);
}
