/** `audio/opus/48000/2`: what tells codecs apart, whatever their payload types. */
function nameOf({ mimeType, clockRate, channels = 1 }: RTCRtpCodec): string {
  return `${mimeType.toLowerCase()}/${clockRate}/${channels}`;
}

/** The codecs that both sides speak, the one in use first; empty before they have agreed. */
export function agreedCodecs(peer: RTCPeerConnection): string[] {
  const sender = peer.getSenders().find(({ track }) => track?.kind === 'audio');
  return sender?.getParameters().codecs.map(nameOf) ?? [];
}

/**
 * Lets a connection that has no lines yet offer audio with these codecs first: a telephone should not have to change its
 * codec in the middle of a call because the browser's page was loaded anew.
 */
export function preferCodecs(peer: RTCPeerConnection, names: readonly string[]): void {
  const known = RTCRtpReceiver.getCapabilities('audio')?.codecs ?? [];
  const rankOf = (codec: RTCRtpCodec): number => {
    const rank = names.indexOf(nameOf(codec));
    return rank === -1 ? names.length : rank;
  };
  // The microphone's track will take this line.
  const line = peer.addTransceiver('audio');
  line.setCodecPreferences([...known].sort((one, other) => rankOf(one) - rankOf(other)));
}
