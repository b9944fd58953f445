import type { ParsedEventInput } from '../../domain/event.ts';
import type { ServeMetrics } from '../metrics.ts';
import { type AcceptDeps, type AcceptResult, acceptEvents, type WhenAccepted } from './accept-events.ts';

export type SubmitDeps = AcceptDeps & {
  metrics: Pick<ServeMetrics, 'events' | 'deferredEvents' | 'eventToRecord'>;
};

/** Accepts events and counts what became of them. */
export async function submitEvents(
  inputs: readonly ParsedEventInput[],
  deps: SubmitDeps,
  whenAccepted?: WhenAccepted,
): Promise<AcceptResult> {
  const startedAt = performance.now();
  const result = await acceptEvents(inputs, deps, whenAccepted);
  const { events, deferredEvents, eventToRecord } = deps.metrics;
  events.inc({ outcome: 'accepted' }, result.accepted);
  events.inc({ outcome: 'duplicate' }, result.duplicates);
  events.inc({ outcome: 'rejected' }, result.rejected);
  deferredEvents.inc(result.deferred);
  const seconds = (performance.now() - startedAt) / 1000;
  for (let e = result.deferred; e < result.accepted; e++) eventToRecord.observe(seconds);
  return result;
}
