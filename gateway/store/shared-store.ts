/** What a node keeps for whoever goes on with its work: the bindings of an address-of-record, an established call. */
export type RecordKind = 'bindings' | 'call';

/** Another process that is alive. */
export interface OtherNode {
  readonly name: string;
  /** `udp:192.0.2.1:5060`, where it takes SIP. */
  readonly sip: readonly string[];
}

/**
 * State that outlives the process. A node is one gateway: its processes, one after the other, have the same name. Writing
 * never fails: what cannot be written now is written when the store is back. Reading rejects with `store.unavailable`.
 */
export interface SharedStore {
  readonly isUp: boolean;
  /** Writes that are not in the store yet. */
  readonly waiting: number;
  /** Keeps a record of this node, in place of an earlier one of that key. */
  put(kind: RecordKind, key: string, value: string): void;
  remove(kind: RecordKind, key: string): void;
  /** Takes over what an earlier process of this node has left; to be called once, before anything is put. */
  inherit(kind: RecordKind): Promise<ReadonlyMap<string, string>>;
  /** What the other nodes that are alive keep. */
  kept(kind: RecordKind): Promise<readonly string[]>;
  /**
   * Takes the calls of nodes that are not alive any more: each is given to one node only. A claim that rejects loses none:
   * the next one gives them.
   */
  claimCalls(): Promise<ReadonlyMap<string, string>>;
  /** The other nodes that were alive when last looked. */
  readonly others: readonly OtherNode[];
  /** Writes what waits, as far as the store takes it within a second, and closes. Idempotent. */
  close(): Promise<void>;
}
