/** What the benchmark tells the load generator. Calls are numbered from 0. */
export type ToLoad =
  | { readonly op: 'offer'; readonly call: number; readonly withCandidates: boolean }
  | { readonly op: 'connect'; readonly call: number; readonly answer: string; readonly port: number }
  | { readonly op: 'run'; readonly seconds: number };

/** Packets of one direction, all calls together, and their delay in milliseconds. */
export interface Direction {
  readonly sent: number;
  readonly received: number;
  readonly p50: number;
  readonly p99: number;
}

/** What it answers. */
export type FromLoad =
  | { readonly op: 'offered'; readonly call: number; readonly offer: string; readonly phone: string }
  | {
      readonly op: 'connected';
      readonly call: number;
      /** From the browser's offer to the first packet. */
      readonly toPhoneMs: number;
      readonly toBrowserMs: number;
    }
  /** The call has not connected in time. */
  | { readonly op: 'failed'; readonly call: number }
  | { readonly op: 'begun' | 'sent' }
  | {
      readonly op: 'ran';
      readonly toPhone: Direction;
      readonly toBrowser: Direction;
      /** How late the generator's own event loop was, 99th percentile: delays contain it. */
      readonly lagMs: number;
    };
