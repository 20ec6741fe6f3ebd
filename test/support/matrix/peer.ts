import type { Caller, Reasons } from './steps.js';

/** What stands on the PBX's side of a row, with its media. */
export interface MatrixPeer {
  /** As the table names it. */
  readonly name: string;
  /** What the browser dials. */
  readonly number: string;
  /** Where the trunk leads. */
  readonly uri: string;
  /** The tone that it speaks; undefined: it sends back what it hears. */
  readonly hz: number | undefined;
  /** Codec of the call, and the one that it is changed to. */
  readonly codecs: readonly [string, string];
  /** Steps that it cannot do, with the reason. */
  cannot(caller: Caller): Reasons;
  /** Learns where the gateway takes SIP, `127.0.0.1:port`; before all calls. */
  meet(gateway: string): void;
  /** Gets ready for a call of the browser's. */
  await(late: boolean): Promise<void>;
  /** Lets the caller hear it before it answers. */
  early(): Promise<void>;
  /** Answers the call that rings; resolves when the call is up. */
  accept(): Promise<void>;
  /** Calls a user of the gateway; resolves when the call is up. */
  dial(user: string, late: boolean): Promise<void>;
  hold(): Promise<void>;
  resume(): Promise<void>;
  changeCodec(codec: string): Promise<void>;
  /** Resolves once this tone, or silence for null, is what it hears from now on. */
  hears(hz: number | null): Promise<void>;
  press(digit: string): Promise<void>;
  /** Resolves once it has heard this digit. */
  pressed(digit: string): Promise<void>;
  /** Adds its picture, or takes it away. */
  video(on: boolean): Promise<void>;
  /** Pictures decoded so far; undefined when it does not know. */
  pictures(): Promise<number | undefined>;
  /** Resolves once its call has ended. */
  ended(): Promise<void>;
  close(): Promise<void>;
}
