import type { Info, Session } from 'sip.js';
import type { DescriptionHandler } from './description-handler.js';
import {
  candidatesIn,
  lateCandidates,
  takesTrickle,
  trickleContentType,
  tricklePackage,
} from './trickle-fragment.js';

/** Candidates of several interfaces are found one after the other within this time. */
const gatherTogetherMs = 20;
/** ICE that the other side's candidates are enough for takes far less. */
const patienceMs = 1_000;
const badEvent = 469;

/** Says that candidates are taken in INFO (RFC 6086 §5.2). */
export const takesCandidates: readonly string[] = [`Recv-Info: ${tricklePackage}`];

export interface CandidateExchangeOptions {
  readonly session: Pick<Session, 'info'>;
  readonly handler: Pick<DescriptionHandler, 'peerConnection' | 'mustGather' | 'told'>;
  /** Offers the media again, with all candidates that there are by now. */
  readonly offerAgain: () => void;
}

/**
 * The candidates of one call that descriptions have not waited for (RFC 8838, RFC 8840): ours go in INFO, those of the other
 * side come in INFO. Another side that takes none is offered the media again, when it does not get through without.
 */
export class CandidateExchange {
  private readonly peer: RTCPeerConnection | undefined;
  private takes = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly options: CandidateExchangeOptions) {
    this.peer = options.handler.peerConnection;
    this.peer?.addEventListener('icecandidate', this.found);
  }

  /** The call is established; `recvInfo` is what the other side takes. */
  begin(recvInfo: string | undefined): void {
    this.takes = takesTrickle(recvInfo);
    const { handler } = this.options;
    const hasWaited = handler.mustGather;
    handler.mustGather = !this.takes;
    if (this.takes) this.tell();
    else if (!hasWaited) this.timer = setTimeout(() => this.offerIfUnheard(), patienceMs);
  }

  /** Answers an INFO. Those without a package are taken as they were without candidates. */
  take(info: Info): void {
    const named = info.request.getHeader('info-package');
    if (named !== undefined && named.trim().toLowerCase() !== tricklePackage) {
      void info.reject({ statusCode: badEvent, extraHeaders: [...takesCandidates] });
      return;
    }
    void info.accept();
    if (named === undefined) return;
    for (const candidate of candidatesIn(info.request.body)) {
      // What is of another ICE generation, or cannot be read, is no loss to the others.
      this.peer?.addIceCandidate(candidate).catch(() => undefined);
    }
  }

  close(): void {
    clearTimeout(this.timer);
    this.peer?.removeEventListener('icecandidate', this.found);
  }

  private readonly found = (): void => {
    if (!this.takes) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.tell(), gatherTogetherMs);
  };

  private tell(): void {
    const { handler, session } = this.options;
    const { localDescription, iceGatheringState } = this.peer ?? {};
    if (!localDescription) return;
    const late = lateCandidates(localDescription.sdp, handler.told, iceGatheringState === 'complete');
    if (late === undefined) return;
    handler.told += late;
    const content = { contentDisposition: 'Info-Package', contentType: trickleContentType, content: late };
    const extraHeaders = [`Info-Package: ${tricklePackage}`];
    // A call that ends meanwhile needs no candidates.
    session.info({ requestOptions: { extraHeaders, body: content } }).catch(() => undefined);
  }

  private offerIfUnheard(): void {
    if (this.peer?.connectionState !== 'connected') this.options.offerAgain();
  }
}
