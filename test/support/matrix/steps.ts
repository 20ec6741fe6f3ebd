/** What is done in the calls of a row, in the order of the table's columns. */
export const steps = [
  'plain',
  'hold by browser',
  'hold by PBX',
  'codec by browser',
  'codec by PBX',
  'ICE restart',
  'late offer',
  'early media',
  'DTMF to PBX',
  'DTMF to browser',
  'video',
] as const;

export type Step = (typeof steps)[number];

/** `done`: both sides heard each other's tone before and after it. */
export type Cell =
  | { readonly outcome: 'done' }
  /** It cannot be with this peer or engine. */
  | { readonly outcome: 'not applicable'; readonly reason: string }
  | { readonly outcome: 'failed'; readonly reason: string };

export type Reasons = Readonly<Partial<Record<Step, string>>>;

export const engines = ['relay', 'rtpengine', 'passthrough'] as const;
export type EngineName = (typeof engines)[number];
export type Caller = 'browser' | 'PBX';

export interface Row {
  readonly engine: EngineName;
  readonly caller: Caller;
  readonly peer: string;
  readonly cells: ReadonlyMap<Step, Cell>;
}
