/** The events of trunks, each logged as one line and counted once. `host` is a URI of the configuration. */
export interface TrunkEvents {
  /** A host answers again. */
  trunkHostUp(event: { readonly trunk: string; readonly host: string; readonly answer: string }): void;
  /** A host does not answer any more, or is out of service: calls pass it over while another one is there. */
  trunkHostDown(event: { readonly trunk: string; readonly host: string; readonly answer: string }): void;
  /** The carrier has taken our REGISTER; `isNew`: not a mere refresh. */
  trunkRegistered(event: {
    readonly trunk: string;
    readonly host: string;
    readonly expiresSeconds: number;
    readonly answer: string;
    readonly isNew: boolean;
  }): void;
  /** The carrier did not take our REGISTER. `repeated`: it said the same before. */
  trunkRegistrationFailed(event: {
    readonly trunk: string;
    readonly host: string;
    readonly answer: string;
    readonly retryMs: number;
    readonly repeated: boolean;
  }): void;
  /** We have signed out. */
  trunkUnregistered(event: { readonly trunk: string; readonly answer: string }): void;
  /** A call found no free channel; it goes on to the next trunk of its route, or is refused. */
  trunkFull(event: {
    readonly trunk: string;
    readonly direction: 'in' | 'out';
    readonly detail: string;
  }): void;
}
