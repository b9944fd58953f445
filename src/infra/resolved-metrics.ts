/**
 * Metrics of what happens with every request. prom-client checks and hashes the labels of each observation, which costs more than
 * the answer that is timed: here a series is looked up once, by whoever observes it, and then only adds up numbers.
 */
import { Counter, Gauge, type Metric, type Registry } from 'prom-client';

export type Observer = { observe: (value: number) => void };

export type ResolvedHistogram<L extends string> = {
  /** The series of these labels. Keep it: the look-up is what this is to spare. */
  with: (labels: Readonly<Record<L, string>>) => Observer;
};

export type HistogramDefinition<L extends string> = {
  name: string;
  help: string;
  labelNames: readonly L[];
  /** Upper bounds, rising. */
  buckets: readonly number[];
};

/** A histogram of the text format, as prom-client's own; each series holds one count a bucket, and their sum. */
export function createHistogram<L extends string>(
  registry: Registry,
  { name, help, labelNames, buckets }: HistogramDefinition<L>,
): ResolvedHistogram<L> {
  const bounds = Float64Array.from(buckets);
  const seriesOf = new Map<string, Series>();
  // Type and names of labels are for whoever lists what there is.
  const type = 'histogram' as const;
  const get = () => ({
    name,
    help,
    type,
    values: [...seriesOf.values()].flatMap((series) => series.values(name)),
    aggregator: 'sum' as const,
  });
  const metric = { name, help, type, labelNames, get: async () => get(), reset: () => seriesOf.clear() };
  // A registry asks no more of a metric than these.
  registry.registerMetric(metric as unknown as Metric<L>);
  return {
    with: (labels) => {
      const key = JSON.stringify(labels);
      let series = seriesOf.get(key);
      if (series === undefined) {
        series = new Series(labels, bounds);
        seriesOf.set(key, series);
      }
      return series;
    },
  };
}

class Series implements Observer {
  readonly #labels: Readonly<Record<string, string>>;
  readonly #bounds: Float64Array;
  /** Observations in each bucket alone; the last one: above all bounds. */
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(labels: Readonly<Record<string, string>>, bounds: Float64Array) {
    this.#labels = labels;
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const bounds = this.#bounds;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket++;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#sum += value;
  }

  values(name: string) {
    let count = 0;
    const values = [...this.#bounds, '+Inf'].map((le, bucket) => {
      count += this.#counts[bucket] ?? 0;
      return { metricName: `${name}_bucket`, labels: { le, ...this.#labels }, value: count };
    });
    return [
      ...values,
      { metricName: `${name}_sum`, labels: this.#labels, value: this.#sum },
      { metricName: `${name}_count`, labels: this.#labels, value: count },
    ];
  }
}

/** Of one series: whoever counts adds to it. */
export type TallySeries = { count: number };

export type Tally = {
  /** Adds one to the series of these labels, whose values are given in the order of the labels' names. */
  add: (...values: readonly string[]) => void;
  /** The series itself, for whoever counts the same again and again. */
  of: (...values: readonly string[]) => TallySeries;
};

/** A counter of what is counted at every request, or dozens of times an answer: added up here, told when Prometheus asks. */
export function createTally<L extends string>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly L[],
): Tally {
  const counts = new Map<string, TallySeries & { values: readonly string[] }>();
  new Counter({
    name,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    collect() {
      for (const series of counts.values()) {
        const { values, count } = series;
        if (count === 0) continue;
        this.inc(Object.fromEntries(labelNames.map((label, at) => [label, values[at]])) as never, count);
        series.count = 0;
      }
    },
  });
  const of: Tally['of'] = (...values) => {
    const key = values.length === 1 ? (values[0] ?? '') : values.join('\n');
    let series = counts.get(key);
    if (series === undefined) {
      series = { values, count: 0 };
      counts.set(key, series);
    }
    return series;
  };
  return { add: (...values) => of(...values).count++, of };
}

/** A gauge of one number that goes up and down with every request. */
export function createLevel(registry: Registry, name: string, help: string): { value: number } {
  const level = { value: 0 };
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(level.value);
    },
  });
  return level;
}
