import { randomInt } from 'node:crypto';
import type { LocalTransport, MediaSection } from '../../sdp/description.js';
import type { SdpEndSnapshot } from '../../sdp/end-snapshot.js';
import { SdpEnd } from '../../sdp/offer-answer.js';
import type { SrtpUse } from '../../sdp/profile.js';
import { mediaTrace } from '../../trace.js';
import type { MediaEndOptions, MediaEndStats, MediaProfile } from '../media-engine.js';
import type { CallFigures, EndFigures } from './call-figures.js';
import type { NgEnd } from './leg-flags.js';

/** `o=` session ids stay below 2^47: some parsers hold them in a double. */
const maxSessionId = 2 ** 47;

const nothing: EndFigures = { packets: 0, bytes: 0, errors: 0, ssrcs: [] };

/** An end in plain values. */
export interface RtpengineEndSnapshot {
  readonly id: string;
  readonly options: MediaEndOptions;
  readonly sdp: SdpEndSnapshot;
  readonly local: LocalTransport | undefined;
  readonly remote: MediaSection | undefined;
  readonly codec: string | undefined;
}

/** One end of a media session: its SDP, and rtpengine's side towards it. Its id is its tag in rtpengine. */
export class RtpengineEnd {
  readonly profile: MediaProfile;
  readonly sdp: SdpEnd;
  readonly #srtp: SrtpUse;
  /** Undefined until rtpengine has told. */
  local: LocalTransport | undefined;
  /** What the end has last agreed to. */
  remote: MediaSection | undefined;
  /** The audio codec of the last answer. */
  codec: string | undefined;
  /** For how long no packet came while the end should have sent some, in ms. */
  quietMs = 0;
  #figures: EndFigures = nothing;
  #quality: Pick<MediaEndStats, 'quality'> = {};

  constructor(
    readonly mediaId: string,
    readonly id: string,
    private readonly options: MediaEndOptions,
    sessionId = String(randomInt(1, maxSessionId)),
  ) {
    this.profile = options.profile;
    this.#srtp = options.srtp ?? 'off';
    this.sdp = new SdpEnd({
      ...options,
      // The address that counts is in `c=`; in `o=` it is a name among others (RFC 8866 §5.2).
      address: { family: 4, host: '0.0.0.0' },
      takesBothFamilies: true,
      sessionId,
    });
  }

  /** True when an offer to it has keys: the first one by configuration, later ones when it speaks SRTP. */
  get isOfferedKeys(): boolean {
    if (this.profile !== 'plain' || this.#srtp === 'off') return false;
    return this.local?.profile === 'plain' ? this.local.crypto !== undefined : true;
  }

  /** The end of another process, as {@link snapshot} has told of it. */
  static restored(
    mediaId: string,
    { id, options, sdp, local, remote, codec }: RtpengineEndSnapshot,
  ): RtpengineEnd {
    const end = new RtpengineEnd(mediaId, id, options, sdp.sessionId);
    end.sdp.restore(sdp);
    [end.local, end.remote, end.codec] = [local, remote, codec];
    return end;
  }

  snapshot(): RtpengineEndSnapshot {
    const { id, options, local, remote, codec } = this;
    return { id, options, sdp: this.sdp.snapshot(), local, remote, codec };
  }

  /** How commands name it while it is, or is about to be, at `remote`: rtpengine's address gets the family of its own. */
  at(remote: MediaSection | undefined, isKeyed: boolean): NgEnd {
    const family = this.profile === 'plain' ? (remote?.address?.family ?? 4) : 4;
    return { id: this.id, profile: this.profile, isKeyed, family };
  }

  get hasSent(): boolean {
    return this.#figures.packets > 0;
  }

  get stats(): MediaEndStats {
    const { packets, bytes, errors } = this.#figures;
    return {
      endId: this.id,
      packetsReceived: packets,
      bytesReceived: bytes,
      packetsDropped: errors,
      codec: this.codec,
      ...this.#quality,
    };
  }

  /** Takes over new figures; true when packets have come since the last ones. */
  observe(figures: CallFigures): boolean {
    const known = this.#figures;
    this.#figures = figures.ends.get(this.id) ?? known;
    return this.#figures.packets !== known.packets;
  }

  /** Takes over what `receiver` reports of this end's packets: rtpengine files that under the SSRC that reports. */
  judgedBy(receiver: RtpengineEnd, { reports }: CallFigures): void {
    for (const ssrc of receiver.#figures.ssrcs) {
      const quality = reports.get(ssrc);
      if (quality !== undefined) this.#quality = { quality };
    }
  }

  trace(state: string): void {
    if (mediaTrace.hasSubscribers) mediaTrace.publish({ mediaId: this.mediaId, endId: this.id, state });
  }
}
