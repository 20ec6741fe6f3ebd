/** Directions that make an answer depend on more than the text of the offer (RFC 3264 §6.1). */
const directed = ['a=sendonly', 'a=recvonly', 'a=inactive'];

function isTwoWay(sdp: string): boolean {
  return !directed.some((line) => sdp.includes(line));
}

/** The session descriptions that both sides of a dialog go by, to recognise an offer that changes nothing. */
export class SdpBooks {
  constructor(
    private local: string | undefined,
    private remote: string | undefined,
  ) {}

  /** The last description of each side. */
  get current(): { readonly localSdp: string | undefined; readonly remoteSdp: string | undefined } {
    return { localSdp: this.local, remoteSdp: this.remote };
  }

  /** Notes what was sent and what was received; undefined leaves a side as it is. */
  note(local: string | undefined, remote: string | undefined): void {
    this.local = local ?? this.local;
    this.remote = remote ?? this.remote;
  }

  /**
   * Our answer to an offer that repeats the peer's last description word for word, as a session refresh does
   * (RFC 4028 §7.4, RFC 3264 §8): the description that we sent last. Undefined when the offer is a new one.
   */
  answerToSame(offer: string | undefined): string | undefined {
    if (offer === undefined || offer !== this.remote || this.local === undefined) return undefined;
    return isTwoWay(offer) && isTwoWay(this.local) ? this.local : undefined;
  }
}
