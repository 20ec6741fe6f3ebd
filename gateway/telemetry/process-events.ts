/** Where a defect was caught. */
export type DefectSource = 'uncaught_exception' | 'unhandled_rejection' | 'admin_api' | 'other';

/** The events of the process itself and of what it depends on, each logged as one line and counted once. */
export interface ProcessEvents {
  started(event: { readonly addresses: Readonly<Record<string, string>>; readonly startMs: number }): void;
  /** Nothing new is taken from now on. */
  draining(event: { cause: string; calls: number; limitMs: number }): void;
  stopped(event: { cause: string }): void;
  /** The SIP engine (embedded or drachtio-server) is connected. */
  engineUp(event: { engine: 'embedded' | 'drachtio'; address: string }): void;
  engineDown(event: { engine: 'embedded' | 'drachtio'; address: string }): void;
  /** A host of a trunk does not resolve: it cannot call in. */
  trunkUnresolved(event: { trunk: string; host: string; cause: unknown }): void;
  /** A request came from an address that belongs to no trunk. */
  trunkSourceRefused(event: { remote: string; method: string; sipCallId: string }): void;
  /** A call data record could not be written; calls go on. */
  cdrFailed(event: { cause: unknown }): void;
  /** Something was thrown that nobody expected. */
  defect(event: { source: DefectSource; error: unknown }): void;
}
