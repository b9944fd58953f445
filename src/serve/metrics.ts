/** What the service counts, for Prometheus. Labels are small fixed sets: route patterns, sources, outcomes; never an id. */
import { Counter, Histogram, type Registry } from 'prom-client';
import { MODEL_NAMES } from '../domain/manifest.ts';
import { countFromZero } from '../infra/metrics.ts';
import { createHistogram, createLevel, createTally } from '../infra/resolved-metrics.ts';
import { SHED_BOUNDS } from './admission/load-gate.ts';

export type ServeMetrics = ReturnType<typeof createServeMetrics>;

const requestBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
/** From a small shop's to that of tens of millions of events on a busy machine. */
const insightsBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100];
const redisBuckets = [0.0002, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];

export function createServeMetrics(registry: Registry) {
  return {
    ...requestMetrics(registry),
    ...recommendationMetrics(registry),
    ...decisionMetrics(registry),
    ...eventMetrics(registry),
    ...modelMetrics(registry),
  };
}

function requestMetrics(registry: Registry) {
  const registers = [registry];
  const metrics = {
    requestDuration: createHistogram(registry, {
      labelNames: ['route', 'method', 'status'] as const,
      name: 'nextbest_serve_request_duration_seconds',
      help: 'Time from the arrival of a request to the end of its answer',
      buckets: requestBuckets,
    }),
    requestsInFlight: createLevel(
      registry,
      'nextbest_serve_requests_in_flight',
      'Requests that are being answered',
    ),
    requestsReading: createLevel(
      registry,
      'nextbest_serve_requests_reading',
      'Requests in flight whose bodies are still arriving',
    ),
    requestsAtLake: createLevel(
      registry,
      'nextbest_serve_requests_at_lake',
      'Requests in flight that are answered from the lake',
    ),
    refusedCallers: new Counter({
      name: 'nextbest_serve_refused_callers_total',
      help: 'Requests that were refused before anything of them was looked at: no key that is good (unauthenticated), a key without the scope (forbidden), or too many calls with it (limited)',
      labelNames: ['reason'] as const,
      registers,
    }),
    shedRequests: new Counter({
      name: 'nextbest_serve_shed_requests_total',
      help: 'Requests that were answered at once, 503 (refused) or with what needs no work (standIn), since too many were in flight (inFlight) or too many bodies were arriving (reading), would have taken too long (wait) or had to wait for the CPU (lag)',
      labelNames: ['bound', 'answer'] as const,
      registers,
    }),
    droppedConnections: new Counter({
      name: 'nextbest_serve_dropped_connections_total',
      help: 'Connections that were closed at once, for the process holds as many as it may',
      registers,
    }),
    redisDuration: createHistogram(registry, {
      labelNames: ['command', 'outcome'] as const,
      name: 'nextbest_serve_redis_duration_seconds',
      help: 'Time from sending a command to Redis to its reply; outcome error: none came in time, or a refusal',
      buckets: redisBuckets,
    }),
  };
  for (const answer of ['refused', 'standIn'])
    countFromZero<'bound' | 'answer'>(metrics.shedRequests, 'bound', SHED_BOUNDS, { answer });
  return metrics;
}

function recommendationMetrics(registry: Registry) {
  const registers = [registry];
  return {
    /** By scenario, and whether it is degraded. */
    recommendations: createTally(
      registry,
      'nextbest_serve_recommendations_total',
      'Answers to GET /recommendations; degraded ones are those that had to do without a store or model',
      ['scenario', 'degraded'],
    ),
    /** By where it came from. */
    pages: createTally(
      registry,
      'nextbest_serve_pages_total',
      'Answers to GET /recommendations by where their page came from: shown before by this process (shown), prepared beside the record (prepared), or made anew (made)',
      ['from'],
    ),
    recommendedItems: createTally(
      registry,
      'nextbest_serve_recommended_items_total',
      'Items in answers to GET /recommendations, by the source that spoke for them most',
      ['source'],
    ),
    arrangedItems: createTally(
      registry,
      'nextbest_serve_arranged_items_total',
      "Items in answers to GET /recommendations whose place a scenario's rule changed, by that rule",
      ['rule'],
    ),
    experimentAnswers: new Counter({
      name: 'nextbest_serve_experiment_answers_total',
      help: 'Recommendations and decisions on offers that were answered within an experiment, to see that it runs; read it out with nextbest experiments',
      labelNames: ['experiment', 'variant'] as const,
      registers,
    }),
  };
}

function decisionMetrics(registry: Registry) {
  const registers = [registry];
  const metrics = {
    /** By channel, what it came to, and whether it is degraded. */
    decisions: createTally(
      registry,
      'nextbest_serve_decisions_total',
      'Decisions on offers by what they came to: offer, fallback or nothing; degraded ones had to do without Redis',
      ['channel', 'answer', 'degraded'],
    ),
    /** By where it came from. */
    standing: createTally(
      registry,
      'nextbest_serve_standing_decisions_total',
      'Answers to GET /customers/{customerId}/offers by where they came from: given before by this process (given), standing in Redis (stood), or decided anew (decided; fallbacks without Redis too)',
      ['from'],
    ),
    offerOutcomes: new Counter({
      name: 'nextbest_serve_offer_outcomes_total',
      help: 'Outcomes of offers that were reported: viewed, clicked, redeemed, dismissed, or duplicate (dropped)',
      labelNames: ['outcome'] as const,
      registers,
    }),
    reservations: new Counter({
      name: 'nextbest_serve_reservations_total',
      help: 'Offers that decisions were to make: reserved (or without a budget), exhausted or paced, where the next best was made; conflict: decided again, for the customer was offered something else meanwhile',
      labelNames: ['outcome'] as const,
      registers,
    }),
    budgetOutcomes: new Counter({
      name: 'nextbest_serve_budget_outcomes_total',
      help: 'Outcomes of offers with a budget, by what became of their reservation: confirmed, repeated, unbudgeted (redeemed when it had lapsed and nothing was left), released',
      labelNames: ['outcome'] as const,
      registers,
    }),
    explorationCost: new Counter({
      name: 'nextbest_serve_exploration_cost_minor_total',
      help: 'What exploring has cost in expectation beside doing the best, in minor units',
      registers,
    }),
  };
  countFromZero(metrics.budgetOutcomes, 'outcome', ['confirmed', 'repeated', 'released', 'unbudgeted']);
  return metrics;
}

function eventMetrics(registry: Registry) {
  const registers = [registry];
  return {
    events: new Counter({
      name: 'nextbest_serve_events_total',
      help: 'Events that were sent: accepted, duplicate (dropped) or rejected (not valid)',
      labelNames: ['outcome'] as const,
      registers,
    }),
    deferredEvents: new Counter({
      name: 'nextbest_serve_deferred_events_total',
      help: "Accepted events that did not reach their customer's record at once: the drain brings them there",
      registers,
    }),
    eventToRecord: new Histogram({
      name: 'nextbest_serve_event_to_record_seconds',
      help: "Time from an event's arrival to its being in the customer's record",
      buckets: requestBuckets,
      registers,
    }),
    unreadableRecords: new Counter({
      name: 'nextbest_serve_unreadable_records_total',
      help: 'Records in Redis that could not be decoded and counted as absent',
      registers,
    }),
  };
}

function modelMetrics(registry: Registry) {
  const registers = [registry];
  const metrics = {
    modelLoadFailures: new Counter({
      name: 'nextbest_serve_model_load_failures_total',
      help: 'Published models that were refused; the one before keeps serving',
      labelNames: ['model'] as const,
      registers,
    }),
    modelSwaps: new Counter({
      name: 'nextbest_serve_model_swaps_total',
      help: 'Models that were taken into service',
      labelNames: ['model'] as const,
      registers,
    }),
    insightsDuration: new Histogram({
      name: 'nextbest_serve_insights_duration_seconds',
      help: 'Time that working out figures of customers or experiments from the lake took; answers that were kept are not counted',
      labelNames: ['about', 'outcome'] as const,
      buckets: insightsBuckets,
      registers,
    }),
  };
  countFromZero(metrics.modelLoadFailures, 'model', MODEL_NAMES);
  return metrics;
}
