/** What runs in a blank page that plays the other side of a call; no function may refer to anything outside itself. */

interface FarEndHost {
  farEnds?: Map<string, RTCPeerConnection>;
}

/** Makes the other side of call `id`, speaking a tone of `hz`, and gives its answer to the offer, or its own offer. */
export async function describeFarEnd({
  id,
  hz,
  offer,
}: {
  id: string;
  hz: number;
  offer: string | undefined;
}): Promise<string> {
  const host = globalThis as FarEndHost;
  host.farEnds ??= new Map();
  const known = host.farEnds.get(id);
  const peer = known ?? new RTCPeerConnection();
  host.farEnds.set(id, peer);
  if (known === undefined) {
    const context = new AudioContext();
    const oscillator = context.createOscillator();
    oscillator.frequency.value = hz;
    const sink = context.createMediaStreamDestination();
    oscillator.connect(sink);
    oscillator.start();
    for (const track of sink.stream.getTracks()) peer.addTrack(track, sink.stream);
    peer.addEventListener('track', (event) => {
      const player = document.createElement('audio');
      player.autoplay = true;
      player.srcObject = new MediaStream([event.track]);
      document.body.append(player);
    });
  }
  if (offer !== undefined) await peer.setRemoteDescription({ type: 'offer', sdp: offer });
  await peer.setLocalDescription();
  while (peer.iceGatheringState !== 'complete') await new Promise((resolve) => setTimeout(resolve, 10));
  return peer.localDescription?.sdp ?? '';
}

/** Gives the other side of call `id` the answer to its offer. */
export async function settleFarEnd({ id, answer }: { id: string; answer: string }): Promise<void> {
  const peer = (globalThis as FarEndHost).farEnds?.get(id);
  await peer?.setRemoteDescription({ type: 'answer', sdp: answer });
}

/** Sets what the other side of call `id` wants to send and receive in its next offer. */
export function directFarEnd({ id, direction }: { id: string; direction: RTCRtpTransceiverDirection }): void {
  for (const transceiver of (globalThis as FarEndHost).farEnds?.get(id)?.getTransceivers() ?? []) {
    transceiver.direction = direction;
  }
}
