/** Counts what became of each attack, in words. */
export class Tally {
  readonly #counts = new Map<string, number>();

  note(what: string, count = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + count);
  }

  countOf(what: string): number {
    return this.#counts.get(what) ?? 0;
  }

  /** The most frequent first: `403 × 10, 503 × 4`. */
  get text(): string {
    const sorted = [...this.#counts].sort(([, one], [, other]) => other - one);
    return sorted.map(([what, count]) => `${what} × ${count}`).join(', ');
  }
}
