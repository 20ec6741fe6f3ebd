import type { SipFailure } from '../../sip/failure.js';

/** Where a defect was caught. */
export type DefectSource = 'uncaught_exception' | 'unhandled_rejection' | 'admin_api' | 'other';

/** What was asked by somebody who is in no trunk; `unreadable` is what is no SIP request. */
export type StrangerMethod = (typeof strangerMethods)[number];

export const strangerMethods = [
  'INVITE',
  'OPTIONS',
  'REGISTER',
  'CANCEL',
  'BYE',
  'INFO',
  'MESSAGE',
  'NOTIFY',
  'PRACK',
  'PUBLISH',
  'REFER',
  'SUBSCRIBE',
  'UPDATE',
  'other',
  'unreadable',
] as const;

export const strangerTransports = ['udp', 'tcp', 'tls', 'other'] as const;

/** Which token an HTTP request needs. */
export type RefusedToken = (typeof refusedTokens)[number];

export const refusedTokens = ['turn_ticket', 'admin', 'admin_locked'] as const;

/**
 * What became of a dialog that an earlier process left behind in drachtio-server: ended by our BYE; unknown to it or to the
 * far end, which is as good; or it could not be ended.
 */
export type LeftDialogOutcome = 'ended' | 'unknown' | 'failed';

/** The events of the process itself and of what it depends on, each logged as one line and counted once. */
export interface ProcessEvents {
  started(event: { readonly addresses: Readonly<Record<string, string>>; readonly startMs: number }): void;
  /** Nothing new is taken from now on. */
  draining(event: { cause: string; calls: number; limitMs: number }): void;
  stopped(event: { cause: string }): void;
  /** The configuration was read again: what is in force now, and what waits for a restart. */
  reloaded(event: { readonly applied: readonly string[]; readonly needsRestart: readonly string[] }): void;
  /** The configuration that was to be read again, or a certificate, is wrong; everything stays as it was. */
  reloadFailed(event: { cause: unknown }): void;
  /** The SIP engine (embedded or drachtio-server) is connected. */
  engineUp(event: { engine: 'embedded' | 'drachtio'; address: string }): void;
  engineDown(event: { engine: 'embedded' | 'drachtio'; address: string }): void;
  /** A host of a trunk does not resolve: it cannot call in. */
  trunkUnresolved(event: { trunk: string; host: string }): void;
  /** A request came from an address that belongs to no trunk. Only the first of a minute is `reported` above debug. */
  strangerTurnedAway(event: {
    remote: string;
    method: StrangerMethod;
    transport: (typeof strangerTransports)[number];
    answer: 'silence' | 'refuse';
    reported: boolean;
  }): void;
  /** So many more came in the last minute from that address, or from all that are not followed one by one. */
  strangerPersists(event: { address: string | undefined; requests: number }): void;
  /** A request of a trunk was refused without becoming a call, or outside any dialog. */
  trunkRequestRefused(event: { remote: string; method: string; failure: SipFailure }): void;
  /**
   * An HTTP request had none or a wrong one: a ticket for TURN passwords, or the operators' token;
   * `admin_locked`: after too many wrong ones none was looked at.
   */
  tokenRefused(event: { remote: string; token: RefusedToken }): void;
  /** A message was longer than drachtio-server can take; its call was refused or ended. */
  engineFrameRefused(event: { sizeBytes: number; limitBytes: number }): void;
  /** A dialog that was left behind in drachtio-server has been seen to. */
  leftDialog(event: { dialogId: string; outcome: LeftDialogOutcome; detail: string }): void;
  /** The journal of dialogs cannot be read or written; calls go on, but a crash would leave some at the PBX. */
  dialogJournalFailed(event: { file: string; cause: unknown }): void;
  /** A call data record could not be written; calls go on. */
  cdrFailed(event: { cause: unknown; record?: string }): void;
  /** The webhook for CDRs takes nothing; records wait on the disk. */
  cdrWebhookDown(event: { cause: string; waiting: number }): void;
  cdrWebhookUp(event: { waiting: number }): void;
  /** The webhook refused a record for good; it is in the file of rejected records. */
  cdrRejected(event: { status: number }): void;
  /** Something was thrown that nobody expected. */
  defect(event: { source: DefectSource; error: unknown }): void;
}
