/** The events of media servers, each logged as one line and counted once. `instance` is `host:port`. */
export interface MediaEvents {
  /** An rtpengine answers, for the first time or again; `up`: how many do now. */
  mediaServerUp(event: { readonly instance: string; readonly up: number }): void;
  /** An rtpengine answers no more: it gets no new calls, and its calls end unless it is back in time. */
  mediaServerDown(event: { readonly instance: string; readonly up: number; readonly reason: string }): void;
  /** The first offer of a call failed there and went on to another rtpengine. */
  mediaServerPassedOver(event: { readonly instance: string; readonly reason: string }): void;
  /** No rtpengine takes a new call: it is refused. */
  mediaServersUnavailable(): void;
  /** A process of the embedded relay has died, and its calls with it; another is started after `restartMs`. */
  mediaProcessDied(event: {
    readonly pid: number | undefined;
    readonly reason: string;
    readonly sessions: number;
    readonly restartMs: number;
  }): void;
  /** The embedded relay has refused packets to browsers' ports: SRTP with another key, or sent again. */
  mediaPacketsRejected(event: { readonly packets: number }): void;
  /** Packets came to ports of the embedded relay that are for a phone's or PBX's, from elsewhere: they went nowhere. */
  mediaStrays(event: { readonly packets: number }): void;
  /** Calls that an earlier process, or a lost command, had left in an rtpengine were deleted there. */
  mediaOrphansDeleted(event: { readonly instance: string; readonly calls: number }): void;
}
