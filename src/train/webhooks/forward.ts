/**
 * From the outbox into the queue: looks at the risk of customers who have changed, makes notices of causes, and lets go of an
 * entry only when its notice is in the queue. Killed at any point, it does the same again, under the same ids.
 */
import type { CustomerId } from '../../domain/ids.ts';
import { streamIdParts } from '../../domain/stream-id.ts';
import type { NoticeCause } from '../../domain/webhook.ts';
import type { RecordStore } from '../../features/record-store.ts';
import { takeLock } from '../../history/drain-lock.ts';
import type { ComplaintTopics } from '../../infra/complaint-topics.ts';
import type { WebhookConfig } from '../../infra/config.ts';
import { logField } from '../../infra/event-log.ts';
import type { Logger } from '../../infra/logger.ts';
import type { QueuedNotice, WebhookQueue } from '../../infra/webhook-queue.ts';
import { type ScoringModels, scoreCustomer } from '../../scoring/score-customer.ts';
import { noticeOf, strangerToRecords } from '../../webhooks/notice.ts';
import { knownCustomer } from './known-customer.ts';
import { lookAtRisks } from './look-at-risks.ts';
import { type OutboxDeps, type ReadOutboxEntry, readOutbox } from './outbox.ts';

export type ForwardDeps = OutboxDeps & {
  records: Pick<RecordStore, 'read' | 'readMany'>;
  queue: Pick<WebhookQueue, 'add'>;
  topics: Pick<ComplaintTopics, 'keep'>;
  config: Pick<WebhookConfig, 'riskAbove' | 'attempts'>;
  /** Those that are served. Without one of churn, no risk is looked at. */
  models: () => ScoringModels;
  /** Milliseconds since 1970. */
  now: () => number;
  log: Pick<Logger, 'error'>;
};

export type ForwardReport = {
  /** true: another worker is at it; nothing was done. */
  locked: boolean;
  /** Entries taken off the outbox; false `more`: it was empty behind them. */
  entries: number;
  more: boolean;
  notices: number;
  crossings: number;
};

/** Two at it would do each other's work, and no harm: so a holder that was killed need not be waited for long. */
const lockLifetimeMs = 10_000;
const entriesAtOnce = 500;
const recordsAtOnce = 100;
const unreadableKept = 10_000;

/** Rejects when a Redis fails; then nothing is lost. */
export async function forwardOnce(deps: ForwardDeps): Promise<ForwardReport> {
  const { redis, keys } = deps;
  const report: ForwardReport = { locked: false, entries: 0, more: false, notices: 0, crossings: 0 };
  const lock = await takeLock(redis, keys.webhookLock, lockLifetimeMs);
  if (lock === undefined) return { ...report, locked: true };
  try {
    const entries = await readOutbox(deps, entriesAtOnce);
    const causes: Caused[] = [];
    const changed = new Set<CustomerId>();
    for (const read of entries) {
      const { entry } = read;
      if (entry === undefined) await putAside(deps, read);
      else if (entry.kind === 'changed') for (const customerId of entry.customerIds) changed.add(customerId);
      else causes.push({ ...entry, since: streamIdParts(read.id)[0] });
    }
    const notices = await Promise.all(causes.map((caused) => makeNotice(deps, caused)));
    await deps.queue.add(notices, deps.config.attempts);
    report.crossings = await lookAtChanged(deps, [...changed]);
    if (entries.length > 0) await redis.xdel(keys.webhookOutbox, ...entries.map(({ id }) => id));
    report.entries = entries.length;
    report.notices = notices.length;
    report.more = entries.length === entriesAtOnce || report.crossings > 0;
    return report;
  } finally {
    await lock.release();
  }
}

type Caused = { customerId: CustomerId; cause: NoticeCause; since: number };

async function makeNotice(
  { records, topics, models, now }: ForwardDeps,
  { customerId, cause, since }: Caused,
): Promise<QueuedNotice> {
  const record = await records.read(customerId);
  const known = record === undefined ? strangerToRecords : knownCustomer(record, models(), now());
  const notice = noticeOf(customerId, cause, known);
  if (cause.kind === 'complaint' && cause.topic !== undefined)
    await topics.keep(customerId, notice.id, cause.topic);
  return { notice, since };
}

/** Answers how many have crossed the bound. */
async function lookAtChanged(deps: ForwardDeps, customerIds: readonly CustomerId[]): Promise<number> {
  const { redis, keys, records, config } = deps;
  const models = deps.models();
  if (models.churn === undefined) return 0;
  let crossings = 0;
  for (let start = 0; start < customerIds.length; start += recordsAtOnce) {
    const some = customerIds.slice(start, start + recordsAtOnce);
    const read = await records.readMany(some);
    const now = deps.now();
    const scored = some.flatMap((customerId, n) => {
      const record = read[n];
      return record === undefined ? [] : [{ customerId, record, scores: scoreCustomer(models, record, now) }];
    });
    crossings += await lookAtRisks({ redis, keys, bound: config.riskAbove, now }, models.churn, scored);
  }
  return crossings;
}

/** Keeps an entry that cannot be read here, of a later version perhaps, where somebody can look at it. */
async function putAside({ redis, keys, log }: ForwardDeps, { id, text }: ReadOutboxEntry): Promise<void> {
  log.error(
    { event: 'webhook.unreadable', streamId: id },
    'an entry of the outbox cannot be read and was put aside',
  );
  const kept = ['MAXLEN', '~', unreadableKept] as const;
  await redis.xadd(keys.unreadableEntries, ...kept, '*', logField, text, 'outboxId', id);
}
