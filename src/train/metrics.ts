/** What the worker counts, for Prometheus. Labels are job names, states and outcomes. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { erasureDueMs } from '../domain/erasure.ts';
import { JOB_NAMES } from '../domain/job.ts';
import type { StreamLag } from '../history/event-stream.ts';
import type { Snapshot } from '../history/score-snapshots.ts';
import type { JobCounts } from '../infra/job-queue.ts';
import { countFromZero } from '../infra/metrics.ts';
import type { DriftReport } from './drift/drift-report.ts';
import type { OverNothing } from './offers/over-nothing.ts';

const askTimeoutMs = 1000;

/** Steps of the worker's rounds (`maintenance.ts`); a failed one is logged as `<step>.failed`. */
export const MAINTENANCE_STEPS = ['restore', 'drain', 'rebuild', 'schedule', 'erase'] as const;

export type WorkerMetrics = ReturnType<typeof createWorkerMetrics>;

export function createWorkerMetrics(registry: Registry) {
  const registers = [registry];
  const metrics = {
    jobDuration: new Histogram({
      name: 'nextbest_worker_job_duration_seconds',
      help: 'Time that a run of a job took; outcome retried: it failed and will be tried again',
      labelNames: ['job', 'outcome'] as const,
      buckets: [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600],
      registers,
    }),
    jobsStalled: new Counter({
      name: 'nextbest_worker_jobs_stalled_total',
      help: 'Jobs of workers that went away, put back into the queue',
      registers,
    }),
    explorationCost: new Counter({
      name: 'nextbest_worker_exploration_cost_minor_total',
      help: 'What exploring by lists has cost in expectation beside doing the best, in minor units; told when a list ends',
      registers,
    }),
    drained: new Counter({
      name: 'nextbest_worker_drained_entries_total',
      help: 'Entries taken off the event stream: written to the lake, dropped as repeats, or put aside as unreadable',
      labelNames: ['outcome'] as const,
      registers,
    }),
    eventsRepaired: new Counter({
      name: 'nextbest_worker_events_repaired_total',
      help: 'Events that a process had accepted but not brought to their record when it fell; the drain did',
      registers,
    }),
    eventToRecord: new Histogram({
      name: 'nextbest_worker_event_to_record_seconds',
      help: 'Time from the acceptance of a repaired event to its record; of all others, see nextbest_serve_event_to_record_seconds',
      buckets: [0.5, 1, 2.5, 5, 15, 60, 300, 900, 3600, 21_600, 86_400],
      registers,
    }),
    maintenanceFailures: new Counter({
      name: 'nextbest_worker_maintenance_failures_total',
      help: 'Rounds that failed, by step (docs/runbook.md, NextbestMaintenanceFailing); the next tries again',
      labelNames: ['step'] as const,
      registers,
    }),
    recordsRebuilt: new Counter({
      name: 'nextbest_worker_records_rebuilt_total',
      help: 'Customer records made anew from the lake after a late event',
      registers,
    }),
    webhookAttempts: new Histogram({
      name: 'nextbest_worker_webhook_attempt_duration_seconds',
      help: 'Time that an attempt to deliver a webhook took, by whether the receiver acknowledged it',
      labelNames: ['outcome'] as const,
      buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15],
      registers,
    }),
    webhookLatency: new Histogram({
      name: 'nextbest_worker_webhook_latency_seconds',
      help: 'Time from the drain that met the cause of a webhook to its delivery, with every attempt and pause between',
      buckets: [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 21_600, 86_400],
      registers,
    }),
    webhooksDead: new Counter({
      name: 'nextbest_worker_webhooks_dead_total',
      help: 'Webhooks that were given up and put with the dead letters',
      registers,
    }),
  };
  countFromZero(metrics.jobDuration, 'job', JOB_NAMES, { outcome: 'failed' });
  countFromZero(metrics.maintenanceFailures, 'step', [...MAINTENANCE_STEPS, 'webhooks']);
  return metrics;
}

/** Webhooks on their way; none where there is no WEBHOOK_URL. */
export function observeWebhooks(
  registry: Registry,
  sources: { counts: () => Promise<JobCounts>; outboxLength: () => Promise<number> } | undefined,
): void {
  new Gauge({
    name: 'nextbest_worker_webhooks',
    help: 'Webhooks by state: outbox, waiting, delayed (to be tried again), active, dead',
    labelNames: ['state'],
    registers: [registry],
    async collect() {
      this.reset();
      if (sources === undefined) return;
      const [counts, outbox] = await Promise.all([
        answerOf(sources.counts()),
        answerOf(sources.outboxLength()),
      ]);
      if (outbox !== undefined) this.set({ state: 'outbox' }, outbox);
      if (counts === undefined) return;
      const { waiting, delayed, active, failed: dead } = counts;
      for (const [state, count] of Object.entries({ waiting, delayed, active, dead }))
        this.set({ state }, count);
    },
  });
}

/** What the last check of the served churn model's drift found; nothing before the first. */
export function observeDrift(registry: Registry, read: () => Promise<DriftReport | undefined>): void {
  const readOnce = askedOnce(read);
  const gauge = (
    name: string,
    help: string,
    set: (gauge: Gauge, report: DriftReport) => void,
    labelNames: string[] = [],
  ) =>
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      async collect() {
        const report = await readOnce();
        this.reset();
        // A gauge without labels would stand at 0.
        if (report !== undefined) set(this, report);
        else if (labelNames.length === 0) this.remove();
      },
    });
  gauge(
    'nextbest_worker_churn_feature_drift',
    'Population stability index of each feature, today against the day when the served churn model was trained',
    (drift, { features }) => {
      for (const { feature, index } of features) drift.set({ feature }, index);
    },
    ['feature'],
  );
  gauge(
    'nextbest_worker_churn_calibration_error',
    'Expected calibration error of the served churn model within the last complete horizon',
    (error, { calibration }) => error.set(calibration.error),
  );
  gauge(
    'nextbest_worker_churn_lost_share',
    'Share of customers lost within the last complete horizon: expected by the served churn model, and observed',
    (share, { calibration: { expected, observed } }) => {
      share.set({ kind: 'expected' }, expected);
      share.set({ kind: 'observed' }, observed);
    },
    ['kind'],
  );
  gauge(
    'nextbest_worker_churn_drift_past_bounds',
    'Features, and the calibration, past their bounds at the last check: above 0, a new training was asked for',
    (count, { past }) => count.set(past.length),
  );
  gauge(
    'nextbest_worker_churn_drift_checked_timestamp_seconds',
    'When drift was last checked, seconds since 1970',
    (time, { checkedAt }) => time.set(Date.parse(checkedAt) / 1000),
  );
}

/** Read when Prometheus asks; nothing where it is not known. */
export function observeOverNothing(registry: Registry, read: () => Promise<OverNothing | undefined>): void {
  new Gauge({
    name: 'nextbest_worker_decisions_over_nothing_minor',
    help: 'What a decision on offers earns more than saying nothing in the long run, by the last training of the offer model',
    labelNames: ['bound'],
    registers: [registry],
    async collect() {
      this.reset();
      const found = await answerOf(read());
      for (const [bound, minor] of Object.entries(found ?? {})) this.set({ bound }, minor);
    },
  });
}

/** Read when Prometheus asks. */
export function observeDamage(registry: Registry, cutOffParts: () => Promise<readonly string[]>): void {
  new Gauge({
    name: 'nextbest_worker_damaged_parts',
    help: 'Parts of the lake that are cut off or no Parquet files: rebuilds and trainings wait until they are put back',
    registers: [registry],
    async collect() {
      this.set((await cutOffParts()).length);
    },
  });
}

/** Erasures that were asked for and have no receipt yet. `now`: milliseconds since 1970. */
export function observeErasures(
  registry: Registry,
  pending: () => Promise<readonly { requestedAt: number }[]>,
  now: () => number,
): void {
  new Gauge({
    name: 'nextbest_worker_erasures',
    help: 'Erasures that are not complete: pending, of those overdue (a day after the request)',
    labelNames: ['state'],
    registers: [registry],
    async collect() {
      const all = await pending();
      this.set({ state: 'pending' }, all.length);
      const overdue = all.filter(({ requestedAt }) => now() - requestedAt > erasureDueMs);
      this.set({ state: 'overdue' }, overdue.length);
    },
  });
}

/** Gauges that are read when Prometheus asks; where Redis does not answer in time, a gauge is left out. */
export function observeQueueAndStream(
  registry: Registry,
  sources: {
    counts: () => Promise<JobCounts>;
    batchCounts: () => Promise<JobCounts>;
    streamLag: () => Promise<StreamLag>;
  },
): void {
  const registers = [registry];
  new Gauge({
    name: 'nextbest_worker_jobs',
    help: 'Jobs in the queue by state; completed and failed ones as far as they are kept',
    labelNames: ['state'],
    registers,
    async collect() {
      this.reset();
      const counts = await answerOf(sources.counts());
      for (const [state, count] of Object.entries(counts ?? {})) this.set({ state }, count);
    },
  });
  new Gauge({
    name: 'nextbest_worker_batches',
    help: "Campaigns' lists in their queue by state; completed and failed ones as far as they are kept",
    labelNames: ['state'],
    registers,
    async collect() {
      this.reset();
      const counts = await answerOf(sources.batchCounts());
      for (const [state, count] of Object.entries(counts ?? {})) this.set({ state }, count);
    },
  });
  const lagOnce = askedOnce(sources.streamLag);
  new Gauge({
    name: 'nextbest_worker_stream_entries',
    help: 'Events that wait in the stream for the lake',
    registers,
    async collect() {
      setOrRemove(this, (await lagOnce())?.length);
    },
  });
  new Gauge({
    name: 'nextbest_worker_stream_lag_seconds',
    help: 'Time that the oldest event has waited for the lake; 0 when none waits',
    registers,
    async collect() {
      const lag = await lagOnce();
      setOrRemove(this, lag && lag.oldestAgeMs / 1000);
    },
  });
}

/** Gauges of the newest snapshot of everybody's scores; left out where nobody has been scored. `now` in milliseconds since 1970. */
export function observeScores(
  registry: Registry,
  latest: () => Promise<Pick<Snapshot, 'scoredAt' | 'customers'> | undefined>,
  now: () => number,
): void {
  const registers = [registry];
  const latestOnce = askedOnce(latest);
  new Gauge({
    name: 'nextbest_worker_scored_customers',
    help: 'Customers in the newest snapshot of scores',
    registers,
    async collect() {
      setOrRemove(this, (await latestOnce())?.customers);
    },
  });
  new Gauge({
    name: 'nextbest_worker_scores_age_seconds',
    help: 'Time since the instant that the newest snapshot of scores is of',
    registers,
    async collect() {
      const snapshot = await latestOnce();
      setOrRemove(this, snapshot && (now() - Date.parse(snapshot.scoredAt)) / 1000);
    },
  });
}

/**
 * The gauges of one scrape ask together. Each must still be set by its own `collect`: one that another sets is written out
 * before that, with what the scrape before it found.
 */
function askedOnce<T>(ask: () => Promise<T>): () => Promise<T | undefined> {
  let asking: Promise<T | undefined> | undefined;
  return () => {
    asking ??= answerOf(ask()).finally(() => {
      asking = undefined;
    });
    return asking;
  };
}

/** Left out where it is not known: a gauge without labels would stand at 0, or at what it was. */
function setOrRemove(gauge: Gauge, value: number | undefined): void {
  if (value === undefined) gauge.remove();
  else gauge.set(value);
}

/** The worker's clients wait out a Redis that is away; a scrape must not. */
async function answerOf<T>(question: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, askTimeoutMs, undefined);
  });
  const answer = await Promise.race([question.catch(() => undefined), late]);
  clearTimeout(timer);
  return answer;
}
