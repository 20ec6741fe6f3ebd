/** What the operator is to know of the shared store. */
export interface StoreEvents {
  /** It answers, for the first time or again; so many records are written to it now. */
  storeUp(event: { readonly waiting: number }): void;
  /** It does not answer, or refuses: calls go on, and whatever changes meanwhile is written later. */
  storeDown(event: { readonly cause: string }): void;
  /** A record of an earlier process, or of another node, cannot be used. */
  storeRecordUnusable(event: { readonly kind: string; readonly key: string; readonly why: string }): void;
  /** Bindings that an earlier process of this node had are here again. */
  bindingsInherited(event: { readonly bindings: number }): void;
  /** A call of an earlier process, or of another node that is gone, goes on here. */
  callTakenOver(event: { readonly callId: string; readonly from: 'earlier_process' | 'other_node' }): void;
  /** Such a call could not go on; its legs are ended as far as they can be reached. */
  callNotTakenOver(event: { readonly callId: string; readonly why: string }): void;
}
