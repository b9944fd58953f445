/** A registry of Prometheus metrics for one process, with Node's own figures (memory, event loop, garbage collection). */
import { type Counter, collectDefaultMetrics, type Histogram, Registry } from 'prom-client';

export function createMetrics(): { registry: Registry } {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return { registry };
}

/**
 * Makes the series of these labels exist before anything is counted. Prometheus's `increase` does not see the first of a
 * series that begins with it, and of what must not happen at all the first is the one to be warned of.
 */
export function countFromZero<L extends string>(
  metric: Counter<L> | Histogram<L>,
  label: L,
  values: readonly string[],
  others: Partial<Record<L, string>> = {},
): void {
  for (const value of values) {
    const labels = { ...others, [label]: value } as Record<L, string>;
    if ('zero' in metric) metric.zero(labels);
    else metric.inc(labels, 0);
  }
}
