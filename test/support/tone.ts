import { writeFileSync } from 'node:fs';

const sampleRate = 48_000;
const bytesPerSample = 2;

/** A RIFF/WAVE header for 16-bit mono PCM. */
function wavHeader(sampleCount: number): Buffer {
  const header = Buffer.alloc(44);
  const dataBytes = sampleCount * bytesPerSample;
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + dataBytes, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(sampleRate, 24);
  header.writeUInt32LE(sampleRate * bytesPerSample, 28);
  header.writeUInt16LE(bytesPerSample, 32);
  header.writeUInt16LE(8 * bytesPerSample, 34);
  header.write('data', 36);
  header.writeUInt32LE(dataBytes, 40);
  return header;
}

/** A sine tone as samples between -1 and 1. */
export function sineSamples(
  hz: number,
  seconds: number,
  rate: number = sampleRate,
  amplitude = 0.5,
): Float32Array {
  return Float32Array.from(
    { length: Math.round(seconds * rate) },
    (_, index) => amplitude * Math.sin((2 * Math.PI * hz * index) / rate),
  );
}

/** Writes a WAV file of a sine tone: whole periods, so that it can be played in a loop without a click. */
export function writeToneWav(path: string, hz: number, seconds = 1): void {
  const samples = sineSamples(hz, Math.round(hz * seconds) / hz);
  const pcm = Buffer.alloc(samples.length * bytesPerSample);
  samples.forEach((sample, index) => pcm.writeInt16LE(Math.round(sample * 32_767), index * bytesPerSample));
  writeFileSync(path, Buffer.concat([wavHeader(samples.length), pcm]));
}

/**
 * How much of the samples' energy is at one frequency, from 0 (none) to 1 (a pure tone), by the Goertzel algorithm.
 *
 * @param samples PCM of any scale
 * @param rate samples per second
 */
export function toneShare(samples: ArrayLike<number>, rate: number, hz: number): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * hz) / rate);
  let before = 0;
  let last = 0;
  let energy = 0;
  for (let index = 0; index < samples.length; index += 1) {
    const sample = samples[index] ?? 0;
    const next = sample + coefficient * last - before;
    before = last;
    last = next;
    energy += sample * sample;
  }
  if (energy === 0) return 0;
  const power = last * last + before * before - coefficient * last * before;
  return Math.min(1, (2 * power) / (samples.length * energy));
}

/** The loudest of the given frequencies when it holds most of the energy, else null (silence, noise, another tone). */
export function detectTone(
  samples: ArrayLike<number>,
  rate: number,
  candidatesHz: readonly number[],
): number | null {
  let best: number | null = null;
  let bestShare = 0.5;
  for (const hz of candidatesHz) {
    const share = toneShare(samples, rate, hz);
    if (share <= bestShare) continue;
    bestShare = share;
    best = hz;
  }
  return best;
}
