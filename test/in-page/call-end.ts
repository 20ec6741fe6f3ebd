/** What the next offer of a call's end changes. */
export interface OfferChange {
  /** `true`: nothing is said or wanted any more; `false`: as before. */
  readonly hold?: boolean;
  /** The audio codec that it likes best from now on, `PCMU`. */
  readonly codec?: string;
  readonly restartIce?: boolean;
  readonly video?: boolean;
}

/** One end of one call in a page: a peer connection that speaks a tone, and what it hears. */
export interface CallEnd {
  offer(change: OfferChange): Promise<string>;
  /** The answer to the first offer of a call, or to a later one. Video that is offered is answered with video. */
  answer(sdp: string): Promise<string>;
  settle(sdp: string): Promise<void>;
  /** Resolves once this tone, or silence for null, is all that it has heard for a moment. */
  hears(hz: number | null): Promise<void>;
  /** Resolves once both tones of a key of a telephone are heard. */
  hearsKey(tones: readonly [number, number]): Promise<void>;
  press(digit: string): Promise<void>;
  /** Name of the audio codec that arrives, `PCMU`. */
  codec(): Promise<string | undefined>;
  /** ICE user fragment of the other side. */
  farUfrag(): string | undefined;
  /** How many pictures it has decoded. */
  pictures(): Promise<number>;
  close(): Promise<void>;
}

/** What this file reads of the reports of a peer connection. */
interface Report {
  readonly id: string;
  readonly type: string;
  readonly kind?: string;
  readonly codecId?: string;
  readonly mimeType?: string;
  readonly framesDecoded?: number;
  readonly lastPacketReceivedTimestamp?: number;
}

/**
 * Runs in a page: `globalThis.callEnd`, in place of the one that was, speaks a tone of `hz` from now on, in `codec` when
 * the other side takes that.
 */
export async function beginCallEnd({ hz, codec }: { hz: number; codec: string | undefined }): Promise<void> {
  await (globalThis as { callEnd?: CallEnd }).callEnd?.close();
  const windowMs = 250;
  const keyMs = 500;
  const toleranceHz = 15;
  const silentBelowDecibels = -55;
  const context = new AudioContext();
  const oscillator = context.createOscillator();
  oscillator.frequency.value = hz;
  const voice = context.createGain();
  const microphone = context.createMediaStreamDestination();
  oscillator.connect(voice).connect(microphone);
  oscillator.start();
  const analyser = context.createAnalyser();
  analyser.fftSize = 4096;
  analyser.smoothingTimeConstant = 0;
  const peer = new RTCPeerConnection();
  for (const track of microphone.stream.getTracks()) peer.addTrack(track, microphone.stream);
  const [audio] = peer.getTransceivers();
  if (audio === undefined) throw new Error('no microphone');
  let painter: number | undefined;
  let ear: MediaStreamAudioSourceNode | undefined;

  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  const gathered = async (): Promise<string> => {
    while (peer.iceGatheringState !== 'complete') await pause(5);
    return peer.localDescription?.sdp ?? '';
  };
  const speakIn = (name: string): void => {
    const known = RTCRtpReceiver.getCapabilities('audio')?.codecs ?? [];
    const wanted = known.filter(({ mimeType }) => mimeType === `audio/${name}`);
    audio.setCodecPreferences([...wanted, ...known.filter((other) => !wanted.includes(other))]);
  };
  if (codec !== undefined) speakIn(codec);

  const picture = (): MediaStreamTrack | undefined => {
    const canvas = document.createElement('canvas');
    canvas.width = 64;
    canvas.height = 48;
    const pen = canvas.getContext('2d');
    let hue = 0;
    clearInterval(painter);
    painter = setInterval(() => {
      hue += 40;
      if (pen === null) return;
      pen.fillStyle = `hsl(${hue} 90% 50%)`;
      pen.fillRect(0, 0, canvas.width, canvas.height);
    }, 50);
    return canvas.captureStream(20).getVideoTracks()[0];
  };
  const videoOf = (): RTCRtpTransceiver | undefined =>
    peer
      .getTransceivers()
      .find(({ receiver, direction }) => receiver.track.kind === 'video' && direction !== 'stopped');
  const setVideo = (on: boolean): void => {
    const track = on ? picture() : undefined;
    if (track !== undefined) peer.addTransceiver(track);
    else videoOf()?.stop();
  };

  peer.addEventListener('track', ({ track }) => {
    const player = document.createElement(track.kind === 'video' ? 'video' : 'audio');
    player.muted = true;
    player.autoplay = true;
    player.srcObject = new MediaStream([track]);
    document.body.append(player);
    if (track.kind !== 'audio') return;
    // A track comes again after a hold: heard twice it could silence itself.
    ear?.disconnect();
    ear = context.createMediaStreamSource(new MediaStream([track]));
    ear.connect(analyser);
  });

  const bins = new Float32Array(analyser.frequencyBinCount);
  const hzOf = (bin: number): number => (bin * context.sampleRate) / analyser.fftSize;
  const level = (at: number): number => {
    const bin = Math.round((at * analyser.fftSize) / context.sampleRate);
    return Math.max(...bins.subarray(bin - 1, bin + 2));
  };
  const loudest = (): number | null => {
    analyser.getFloatFrequencyData(bins);
    const peak = bins.reduce((best, value, bin) => (value > (bins[best] ?? -Infinity) ? bin : best), 0);
    return (bins[peak] ?? -Infinity) < silentBelowDecibels ? null : hzOf(peak);
  };
  const isInbound = ({ type, kind }: Report, wanted: string): boolean =>
    type === 'inbound-rtp' && kind === wanted;

  const end: CallEnd = {
    async offer({ hold, codec: name, restartIce = false, video }) {
      if (hold !== undefined) {
        audio.direction = hold ? 'sendonly' : 'sendrecv';
        voice.gain.value = hold ? 0 : 1;
      }
      if (name !== undefined) speakIn(name);
      if (video !== undefined) setVideo(video);
      await peer.setLocalDescription(await peer.createOffer({ iceRestart: restartIce }));
      return gathered();
    },
    async answer(sdp) {
      await peer.setRemoteDescription({ type: 'offer', sdp });
      // The other side chooses now.
      audio.setCodecPreferences([]);
      const video = videoOf();
      if (video !== undefined && video.sender.track === null) {
        video.direction = 'sendrecv';
        await video.sender.replaceTrack(picture() ?? null);
      }
      await peer.setLocalDescription();
      return gathered();
    },
    settle: (sdp) => peer.setRemoteDescription({ type: 'answer', sdp }),
    async hears(wanted) {
      await pause(windowMs);
      const fits = (heard: number | null): boolean =>
        wanted === null ? heard === null : heard !== null && Math.abs(heard - wanted) <= toleranceHz;
      // Silence must last: a moment of it is between any two sounds.
      for (let looks = wanted === null ? 10 : 1; looks > 0;) {
        if (fits(loudest())) looks -= 1;
        else looks = wanted === null ? 10 : 1;
        if (looks > 0) await pause(20);
      }
    },
    async hearsKey(tones) {
      for (;;) {
        loudest();
        if (tones.every((tone) => level(tone) > silentBelowDecibels + 10)) return;
        await pause(5);
      }
    },
    async press(digit) {
      audio.sender.dtmf?.insertDTMF(digit, keyMs, 70);
    },
    async codec() {
      const seen = [...((await peer.getStats()) as unknown as Map<string, Report>).values()];
      const inbound = seen.filter((report) => isInbound(report, 'audio') && report.codecId !== undefined);
      const [latest] = inbound.sort(
        (one, other) => (other.lastPacketReceivedTimestamp ?? 0) - (one.lastPacketReceivedTimestamp ?? 0),
      );
      const codec = seen.find(({ id }) => id === latest?.codecId);
      return codec?.mimeType?.replace('audio/', '');
    },
    farUfrag: () => /^a=ice-ufrag:(.*)\r$/m.exec(peer.currentRemoteDescription?.sdp ?? '')?.[1],
    async pictures() {
      const seen = [...((await peer.getStats()) as unknown as Map<string, Report>).values()];
      const inbound = seen.filter((report) => isInbound(report, 'video'));
      return inbound.reduce((sum, { framesDecoded = 0 }) => sum + framesDecoded, 0);
    },
    async close() {
      clearInterval(painter);
      peer.close();
      await context.close();
    },
  };
  Object.assign(globalThis, { callEnd: end });
}
