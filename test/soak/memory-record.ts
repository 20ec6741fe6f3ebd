import type { Usage } from '../bench/probe.js';

/** What two averages of a process at rest may differ by. */
const allowed = { share: 0.1, bytes: 8 * 1024 * 1024 };
/** With fewer, chance says more than the process. */
const leastSamples = 6;

/** Memory of a process over its life, each sample after a garbage collection. */
export class MemoryRecord {
  private readonly samples: Usage[] = [];

  note(usage: Usage): void {
    this.samples.push(usage);
  }

  /** How memory has grown from the second third to the last, when it has; with too few samples nothing is said. */
  growth(): string | undefined {
    const { length } = this.samples;
    if (length < leastSamples) return undefined;
    const [from, to] = [Math.floor(length / 3), Math.floor((2 * length) / 3)];
    const grown = (['heapBytes', 'rssBytes'] as const).filter((kind) => {
      const [before, after] = [mean(this.samples.slice(from, to), kind), mean(this.samples.slice(to), kind)];
      return after - before > Math.max(allowed.bytes, before * allowed.share);
    });
    return grown.length === 0 ? undefined : `memory grows (${grown.join(', ')}): ${this.summary}`;
  }

  /** First, after a third, and last. */
  get summary(): string {
    const { samples } = this;
    const shown = [samples[0], samples[Math.floor(samples.length / 3)], samples.at(-1)];
    const of = (kind: 'heapBytes' | 'rssBytes'): string =>
      shown.map((sample) => (sample === undefined ? '?' : mebibytes(sample[kind]))).join(' → ');
    return `heap ${of('heapBytes')}, RSS ${of('rssBytes')}`;
  }
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}

function mean(samples: readonly Usage[], kind: 'heapBytes' | 'rssBytes'): number {
  return samples.reduce((sum, sample) => sum + sample[kind], 0) / samples.length;
}
