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

/** A label and all values that it may have. */
export type EnumLabel<Value extends string> = readonly [name: string, values: readonly Value[]];

/** The same with two labels. */
export class EnumPairCounter<One extends string, Other extends string> {
  readonly #children = new Map<One, Map<Other, { inc(by?: number): void }>>();

  constructor(
    registry: Registry,
    name: string,
    help: string,
    [one, ones]: EnumLabel<One>,
    [other, others]: EnumLabel<Other>,
  ) {
    const counter = new Counter({ name, help, labelNames: [one, other], registers: [registry] });
    for (const first of ones) {
      const row = new Map<Other, { inc(by?: number): void }>();
      for (const second of others) row.set(second, counter.labels(first, second));
      for (const child of row.values()) child.inc(0);
      this.#children.set(first, row);
    }
  }

  inc(one: One, other: Other): void {
    this.#children.get(one)?.get(other)?.inc();
  }
}

/** A histogram with two labels whose values are all known beforehand. */
export class EnumPairHistogram<One extends string, Other extends string> {
  constructor(private readonly histogram: Histogram) {}

  observe(one: One, other: Other, value: number): void {
    this.histogram.labels(one, other).observe(value);
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

  enumPairCounter<One extends string, Other extends string>(
    name: string,
    help: string,
    one: EnumLabel<One>,
    other: EnumLabel<Other>,
  ): EnumPairCounter<One, Other> {
    return new EnumPairCounter(this.#registry, `webtrunk_${name}`, help, one, other);
  }

  counter(name: string, help: string): { inc(by?: number): void } {
    return new Counter({ name: `webtrunk_${name}`, help, registers: [this.#registry] });
  }

  gauge(name: string, help: string): { set(value: number): void; inc(): void; dec(): void } {
    return new Gauge({ name: `webtrunk_${name}`, help, registers: [this.#registry] });
  }

  /** `buckets` in seconds, as is what is observed. */
  secondsHistogram(name: string, help: string, buckets: number[]): { observe(seconds: number): void } {
    return new Histogram({ name: `webtrunk_${name}`, help, buckets, registers: [this.#registry] });
  }

  /** `buckets` are upper limits in the unit of what is observed. */
  enumPairHistogram<One extends string, Other extends string>(
    name: string,
    help: string,
    buckets: number[],
    [one, ones]: EnumLabel<One>,
    [other, others]: EnumLabel<Other>,
  ): EnumPairHistogram<One, Other> {
    const histogram = new Histogram({
      name: `webtrunk_${name}`,
      help,
      buckets,
      labelNames: [one, other],
      registers: [this.#registry],
    });
    for (const first of ones) for (const second of others) histogram.zero({ [one]: first, [other]: second });
    return new EnumPairHistogram(histogram);
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

  /** Shows one value for each set of labels; `read` is asked whenever somebody looks. */
  watchValues<Label extends string>(
    name: string,
    help: string,
    labels: readonly Label[],
    read: () => Iterable<readonly [labels: Readonly<Record<Label, string>>, value: number]>,
  ): void {
    new Gauge({
      name: `webtrunk_${name}`,
      help,
      labelNames: labels,
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const [values, value] of read()) this.set(values, value);
      },
    });
  }

  /** Shows counts since the start that somebody else keeps; `read` is asked whenever somebody looks. */
  watchCounts(name: string, help: string, label: string, read: () => Readonly<Record<string, number>>): void {
    new Counter({
      name: `webtrunk_${name}`,
      help,
      labelNames: [label],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const [value, count] of Object.entries(read())) this.inc({ [label]: value }, count);
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
