import type { RememberedLine } from './lines.js';

/** The state of an `SdpEnd`, in plain values. */
export interface SdpEndSnapshot {
  readonly sessionId: string;
  readonly version: number;
  readonly lastText: string;
  readonly lines: readonly RememberedLine[];
  readonly index: number;
  readonly videoIndex: number | undefined;
  readonly payloadTypes: readonly (readonly [codec: string, payloadType: number])[];
  readonly videoPayloadTypes: readonly (readonly [codec: string, payloadType: number])[];
}
