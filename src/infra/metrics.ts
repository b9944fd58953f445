/** A registry of Prometheus metrics for one process, with Node's own figures (memory, event loop, garbage collection). */
import { collectDefaultMetrics, Registry } from 'prom-client';

export function createMetrics(): { registry: Registry } {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return { registry };
}
