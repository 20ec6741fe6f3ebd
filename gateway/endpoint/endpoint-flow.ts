/** What an endpoint needs of the WebSocket that it is reached through. */
export interface EndpointFlow {
  /** `f_…` */
  readonly id: string;
  readonly transport: 'WS' | 'WSS';
  /** Remote `address:port`. */
  readonly remote: string;
  /** The page at the other end was closed, reloaded or left for another. */
  readonly goneAway: boolean;
  /** Writes one SIP message. False when the flow cannot take it: closed, or its peer does not read. */
  send(text: string): boolean;
  /** The endpoint now has another flow: closes with 4408. */
  replaced(): void;
  /** The endpoint is to register anew: closes with 1012. */
  moved(): void;
}
