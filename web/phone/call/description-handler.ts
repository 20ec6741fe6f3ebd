import {
  Invitation,
  Inviter,
  Web,
  type BodyAndContentType,
  type Session,
  type SessionDescriptionHandlerModifier,
} from 'sip.js';
import { takesTrickle } from './trickle-fragment.js';

/**
 * Long enough for a TURN server to answer, short enough not to be felt: the library's own limit is 5 s. Only for a caller that
 * takes no candidates later.
 */
const gatheringTimeoutMs = 700;

/**
 * Chromium has the candidates of all its interfaces within a few milliseconds. With them in the offer the other side begins its
 * checks before we begin ours: the relay's library would otherwise be a retransmission of DTLS late.
 */
const firstCandidateMs = 30;
const otherInterfacesMs = 4;

/** The library's WebRTC handler: it does not wait for candidates, and takes back an offer that was refused. */
export class DescriptionHandler extends Web.SessionDescriptionHandler {
  /** Whether the other side may need candidates that were not in a description. */
  trickles = false;
  /** Whether a description must have its candidates, since they cannot be told later. */
  mustGather = false;
  /** What the other side has been told of our media: the last description, and candidates since. */
  told = '';

  /**
   * Takes back an offer that the other side refused. Without this one refused re-INVITE would leave the peer connection
   * waiting for an answer, and no later hold or resume could be offered.
   */
  async rollbackDescription(): Promise<void> {
    const peer = this.peerConnection;
    if (peer?.signalingState === 'have-local-offer') await peer.setLocalDescription({ type: 'rollback' });
  }

  override async getDescription(
    options?: Web.SessionDescriptionHandlerOptions,
    modifiers?: SessionDescriptionHandlerModifier[],
  ): Promise<BodyAndContentType> {
    const described = await super.getDescription(options, modifiers);
    this.told = described.body;
    return described;
  }

  /** To the library a timeout of 0 would mean to wait for as long as it takes. */
  protected override waitForIceGatheringComplete(restart?: boolean, timeoutMs?: number): Promise<void> {
    return this.mustGather ? super.waitForIceGatheringComplete(restart, timeoutMs) : this.hostCandidates();
  }

  private async hostCandidates(): Promise<void> {
    const peer = this.peerConnection;
    if (peer === undefined || peer.iceGatheringState === 'complete') return;
    if (peer.localDescription?.sdp.includes('a=candidate:') === true) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, firstCandidateMs);
      const found = (): void => {
        clearTimeout(timer);
        setTimeout(resolve, otherInterfacesMs);
      };
      peer.addEventListener('icecandidate', found, { once: true });
    });
  }
}

interface HandlerOptions {
  /** Media of some calls goes from browser to browser: they need each other's candidates. */
  readonly directMedia: boolean;
  /** What a connection that is made now should have. */
  readonly peerConnection: () => RTCConfiguration;
  readonly openMicrophone: () => Promise<MediaStream>;
}

/** What sip.js calls to get a handler for each session. */
export function descriptionHandlerFactory(options: HandlerOptions): Web.SessionDescriptionHandlerFactory {
  return (session) => {
    const handler = new DescriptionHandler(
      session.userAgent.getLogger('sip.SessionDescriptionHandler'),
      () => options.openMicrophone(),
      {
        iceGatheringTimeout: gatheringTimeoutMs,
        peerConnectionConfiguration: options.peerConnection(),
      },
    );
    handler.trickles = options.directMedia;
    handler.mustGather = options.directMedia && !mayTrickle(session);
    return handler;
  };
}

/** Who calls does not know yet what the other side takes, and learns it in time. */
function mayTrickle(session: Session): boolean {
  if (session instanceof Invitation) return takesTrickle(session.request.getHeader('recv-info'));
  return session instanceof Inviter;
}
