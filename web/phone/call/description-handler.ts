import { Web } from 'sip.js';

/** The library's WebRTC handler, with the undoing of an offer that it lacks. */
export class DescriptionHandler extends Web.SessionDescriptionHandler {
  /**
   * Takes back an offer that the other side refused. Without this one refused re-INVITE would leave the peer connection
   * waiting for an answer, and no later hold or resume could be offered.
   */
  async rollbackDescription(): Promise<void> {
    const peer = this.peerConnection;
    if (peer?.signalingState === 'have-local-offer') await peer.setLocalDescription({ type: 'rollback' });
  }
}

interface HandlerOptions {
  readonly iceGatheringTimeoutMs: number;
  /** What a connection that is made now should have. */
  readonly peerConnection: () => RTCConfiguration;
  readonly openMicrophone: () => Promise<MediaStream>;
}

/** What sip.js calls to get a handler for each session. */
export function descriptionHandlerFactory(options: HandlerOptions): Web.SessionDescriptionHandlerFactory {
  return (session) =>
    new DescriptionHandler(
      session.userAgent.getLogger('sip.SessionDescriptionHandler'),
      () => options.openMicrophone(),
      {
        iceGatheringTimeout: options.iceGatheringTimeoutMs,
        peerConnectionConfiguration: options.peerConnection(),
      },
    );
}
