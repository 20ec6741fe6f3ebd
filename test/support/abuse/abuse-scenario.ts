import type { AbuseField } from './abuse-field.js';

/** One way to harm a gateway, and what has to become of it. */
export interface AbuseScenario {
  /** What the attacker does. */
  readonly name: string;
  /** What holds against it: the key of a limit, or the rule in a few words. */
  readonly limit: string;
  /** As `Tally` names them; each must have come at least once. */
  readonly answers: readonly string[];
  /** Counters without `webtrunk_`, each of which must have moved. */
  readonly counters: readonly string[];
  /** The `event` of lines that the log must have gained. */
  readonly logged: readonly string[];
  /** Attacks until `field.over`; rejects when something did not hold. */
  attack(field: AbuseField): Promise<void>;
}
