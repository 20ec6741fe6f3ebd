import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** A counter with one label whose values are all known beforehand, so that each exists (as 0) from the start. */
export class EnumCounter<Value extends string> {
  readonly #children = new Map<Value, { inc(by?: number): void }>();

  constructor(registry: Registry, name: string, help: string, label: string, values: readonly Value[]) {
    const counter = new Counter({ name, help, labelNames: [label], registers: [registry] });
    for (const value of values) {
      counter.inc({ [label]: value }, 0);
      this.#children.set(value, counter.labels(value));
    }
  }

  inc(value: Value): void {
    this.#children.get(value)?.inc();
  }
}

/** Builds metrics into one registry; names get the prefix `webtrunk_`. */
export class Metrics {
  readonly #registry = new Registry();

  /** `processMetrics`: also CPU, memory, event loop delay and garbage collection of the process. */
  constructor(options: { readonly processMetrics?: boolean } = {}) {
    if (options.processMetrics === true) {
      collectDefaultMetrics({ register: this.#registry, prefix: 'webtrunk_' });
    }
  }

  enumCounter<Value extends string>(
    name: string,
    help: string,
    label: string,
    values: readonly Value[],
  ): EnumCounter<Value> {
    return new EnumCounter(this.#registry, `webtrunk_${name}`, help, label, values);
  }

  counter(name: string, help: string): { inc(): void } {
    return new Counter({ name: `webtrunk_${name}`, help, registers: [this.#registry] });
  }

  gauge(name: string, help: string): { set(value: number): void; inc(): void; dec(): void } {
    return new Gauge({ name: `webtrunk_${name}`, help, registers: [this.#registry] });
  }

  /** `buckets` in seconds, as is what is observed. */
  secondsHistogram(name: string, help: string, buckets: number[]): { observe(seconds: number): void } {
    return new Histogram({ name: `webtrunk_${name}`, help, buckets, registers: [this.#registry] });
  }

  /** Shows the size of every table as `webtrunk_table_size`; `read` is asked whenever somebody looks. */
  watchTables(read: () => Readonly<Record<string, number>>): void {
    new Gauge({
      name: 'webtrunk_table_size',
      help: 'Entries in each table of the process; all are 0 when nothing goes on',
      labelNames: ['table'],
      registers: [this.#registry],
      collect() {
        for (const [table, size] of Object.entries(read())) this.set({ table }, size);
      },
    });
  }

  /** Media type of what `text` gives. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Everything in the Prometheus text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
