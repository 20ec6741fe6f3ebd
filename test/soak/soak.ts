/** What a long run is told. */
export interface SoakOptions {
  readonly minutes: number;
  /** Calls begun each second. */
  readonly rate: number;
  /** Endpoints that are registered. */
  readonly endpoints: number;
  /** The same seed makes the same choices; what becomes of them is up to the network. */
  readonly seed: number;
  /** Told how it goes, a line at a time. */
  readonly say: (text: string) => void;
}

/** A long run: resolves with what was seen, in a line; rejects with what was wrong. Leaves nothing behind. */
export type Soak = (options: SoakOptions) => Promise<string>;
