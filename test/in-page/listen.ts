/**
 * Runs in a page, so it must not refer to anything outside itself: the loudest frequency, in hertz, of what the first
 * unmuted audio element plays, or null when that is silence or nothing.
 */
export async function listen(settleMs: number): Promise<number | null> {
  const players = [...document.querySelectorAll('audio')];
  const player = players.find((candidate) => !candidate.muted && candidate.srcObject !== null);
  const stream = player?.srcObject;
  if (!(stream instanceof MediaStream) || stream.getAudioTracks().length === 0) return null;
  const context = new AudioContext();
  try {
    const analyser = context.createAnalyser();
    analyser.fftSize = 8192;
    analyser.smoothingTimeConstant = 0;
    context.createMediaStreamSource(stream).connect(analyser);
    await new Promise((resolve) => setTimeout(resolve, settleMs));
    const decibels = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(decibels);
    const levelOf = (bin: number): number => decibels[bin] ?? -Infinity;
    const peak = decibels.reduce((best, level, bin) => (level > levelOf(best) ? bin : best), 0);
    const silentBelowDecibels = -55;
    if (levelOf(peak) < silentBelowDecibels) return null;
    return (peak * context.sampleRate) / analyser.fftSize;
  } finally {
    await context.close();
  }
}
