/**
 * The erasures that are due. Every step may be done again: a run that was killed is taken up by the next, from the state that
 * stands in the request's file. Twice over: first everything goes, then, when readers of replaced files have ended and whatever
 * was on its way has arrived, it is looked for everywhere again; the receipt is written when that finds nothing.
 */
import type { Queue } from 'bullmq';
import { CronExpressionParser } from 'cron-parser';
import { createContactLedger } from '../../decide/ledger/contact-ledger.ts';
import type { BudgetLedger } from '../../decide/ledger/offer-budget.ts';
import type { ErasureReceipt, PendingErasure } from '../../domain/erasure.ts';
import type { CustomerId } from '../../domain/ids.ts';
import { putDownForRebuild } from '../../features/put-down-for-rebuild.ts';
import type { RecordStore } from '../../features/record-store.ts';
import { guestSubject } from '../../features/subject.ts';
import { takeLock } from '../../history/drain-lock.ts';
import {
  countErasable,
  type ErasedSubject,
  eraseFromLake,
  eraseFromScores,
  linkedIds,
  removeSuperseded,
  withLaterRows,
} from '../../history/erase-lake.ts';
import type { Lake } from '../../history/lake.ts';
import { createComplaintTopics } from '../../infra/complaint-topics.ts';
import type { Config } from '../../infra/config.ts';
import { dueAtOf, type ErasureFiles } from '../../infra/erasure-files.ts';
import type { Keys } from '../../infra/keys.ts';
import type { Logger } from '../../infra/logger.ts';
import { listModels } from '../../infra/model-store.ts';
import type { Redis } from '../../infra/redis.ts';
import type { Tombstones } from '../../infra/tombstones.ts';
import { compactRedis } from './compact-redis.ts';
import { sweepBatchFiles } from './erase-batches.ts';
import {
  everyOfferId,
  hasComeBack,
  spentBudgets,
  sweepBudgets,
  sweepDecisionKeys,
  sweepRebuildLists,
  sweepRisks,
  sweepSubjectKeys,
} from './erase-keys.ts';
import { sweepEventStream, sweepNotices, sweepOutbox, sweepUnreadable } from './erase-streams.ts';

export type ErasureDeps = {
  config: Pick<Config, 'dataDir' | 'modelsDir' | 'erasureSettleMs' | 'trainSchedule'>;
  redis: Redis;
  queueRedis: Redis;
  keys: Keys;
  lake: Lake;
  files: ErasureFiles;
  tombstones: Tombstones;
  budgets: Pick<BudgetLedger, 'forget'>;
  records: Pick<RecordStore, 'read'>;
  /** BullMQ's queues of webhooks and of batches. */
  notices: Queue;
  batches: Pick<Queue, 'getJobState'>;
  log: Pick<Logger, 'info' | 'warn'>;
  /** Milliseconds since 1970. */
  now: () => number;
};

type Named = PendingErasure & { customerId: CustomerId };
type Counts = Record<string, number>;

const lookAgainMs = 60_000;
const lockWaitMs = 200;

/** Answers how many have been completed. */
export async function runErasures(deps: ErasureDeps): Promise<number> {
  const { files, config, now } = deps;
  const due = (await files.pending()).filter(({ lookAt }) => lookAt <= now());
  const named = due.filter((pending): pending is Named => pending.customerId !== null);
  const begun = named.filter(({ state }) => state === 'waiting' || state === 'erasing');
  await gather(begun, deps);
  if (begun.length > 0) {
    // All at once: files are written anew once for all of them.
    await sweep(begun, deps, true);
    for (const pending of begun) {
      pending.state = 'settling';
      pending.lookAt = now() + config.erasureSettleMs;
      await files.update(pending);
    }
  }
  await verify(
    named.filter(({ state, lookAt }) => state === 'settling' && lookAt <= now()),
    deps,
  );
  return await compact(deps);
}

/**
 * Finds what belongs to each, and puts it down before anything goes: a run after this one could not find or count it any more.
 */
async function gather(pending: readonly Named[], deps: ErasureDeps): Promise<void> {
  const { files, tombstones, lake } = deps;
  const contacts = createContactLedger(deps.redis, deps.keys);
  for (const one of pending) {
    await tombstones.bury([one.customerId], one.requestedAt);
    const linked = await linkedIds(lake, subjectOf(one));
    const streamed = await sweepEventStream(
      deps,
      new Map([[one.customerId as string, one.requestedAt]]),
      false,
    );
    one.sessionIds = [
      ...new Set([
        ...one.sessionIds,
        ...linked.sessionIds,
        ...(streamed.sessionIds as typeof one.sessionIds),
      ]),
    ];
    const sessions = one.sessionIds.map((id) => guestSubject(id));
    const ofGuests = await sweepEventStream(
      deps,
      new Map(sessions.map((id) => [id, one.requestedAt])),
      false,
    );
    // Of those that the drain has dropped since the request, only the contacts tell.
    const contacted = await contacts.readMany([one.customerId, ...sessions]);
    one.decisionIds = [
      ...new Set([
        ...one.decisionIds,
        ...linked.decisionIds,
        ...streamed.decisionIds,
        ...ofGuests.decisionIds,
        ...contacted.flatMap(({ history }) => history.map(({ decisionId }) => decisionId)),
      ]),
    ];
    one.sessionHashes = [...new Set([...one.sessionHashes, ...sessions.map((id) => files.hash(id))])];
    await tombstones.bury(sessions, one.requestedAt);
    if (one.state === 'waiting') {
      one.erased = (await sweep([one], deps, false)).counts;
      one.spent = await spentBudgets(deps, one.decisionIds, await everyOfferId(deps));
    }
    one.state = 'erasing';
    await files.update(one);
  }
}

/** Looks everywhere; with `erase`, takes away what it finds. */
async function sweep(pending: readonly Named[], deps: ErasureDeps, erase: boolean) {
  const { redis, keys, lake, config, records, now } = deps;
  const untilOf = new Map<string, number>();
  for (const { customerId, sessionIds, requestedAt } of pending)
    for (const id of [customerId, ...sessionIds.map((sessionId) => guestSubject(sessionId))])
      untilOf.set(id, Math.max(requestedAt, untilOf.get(id) ?? 0));
  const customerIds = [...new Set(pending.map(({ customerId }) => customerId))];
  const decisionIds = [...new Set(pending.flatMap((one) => one.decisionIds))];
  const offerIds = await everyOfferId(deps);
  const subjects = pending.map(subjectOf);
  const locked = <T>(work: () => Promise<T>) => underDrainLock(deps, work);

  // What leads to a record first, then the records, then what was made of them.
  const streamed = await (erase
    ? locked(() => sweepEventStream(deps, untilOf, true))
    : sweepEventStream(deps, untilOf, false));
  const rows = erase ? await eraseFromLake(lake, subjects, locked) : await countErasable(lake, subjects);
  const returned = new Set(streamed.returned);
  for (const customerId of await withLaterRows(lake, subjects)) returned.add(customerId);
  const batches = await sweepBatchFiles(
    { lake, dataDir: config.dataDir, queue: deps.batches },
    customerIds,
    erase,
  );
  const counts: Counts = {
    stream: streamed.entries,
    unreadable: await sweepUnreadable(deps, [...untilOf.keys()].map(plainId), erase),
    events: rows.events,
    decisions: rows.decisions,
    merges: rows.merges,
    records: await sweepSubjectKeys(
      deps,
      new Set(untilOf.keys()),
      erase,
      async (id) => returned.has(id) && (await hasComeBack(records, id, untilOf.get(id) ?? 0)),
    ),
    rebuildLists: await sweepRebuildLists(
      { redis, keys },
      [...untilOf.keys()].filter((id) => !returned.has(id)),
      erase,
    ),
    decisionKeys: await sweepDecisionKeys(deps, decisionIds, offerIds, erase),
    budgets: await sweepBudgets(deps, decisionIds, offerIds, erase, now()),
    webhooks:
      (await sweepOutbox(deps, untilOf, erase)) +
      (await sweepNotices(deps.notices, createComplaintTopics(redis, keys), untilOf, erase)),
    risks: await sweepRisks(
      deps,
      customerIds.filter((id) => !returned.has(id)),
      erase,
    ),
    scores: await eraseFromScores(lake, config.dataDir, customerIds, erase),
    batches: batches.lines,
  };
  // Of those who have come back, the record of what is left is made again.
  const back = [...returned].filter((id) => customerIds.includes(id as CustomerId));
  if (erase)
    for (const id of back)
      if ((await records.read(id)) === undefined) await putDownForRebuild(redis, keys, [id]);
  return { counts, returned };
}

async function verify(settled: readonly Named[], deps: ErasureDeps): Promise<void> {
  const { config, lake, now, log } = deps;
  if (settled.length > 1) {
    await removeSuperseded(lake, config.dataDir, now() - config.erasureSettleMs);
    // Where one look finds nothing of all of them, it finds nothing of any.
    const found = await sweep(settled, deps, false);
    if (sum(found.counts) === 0) {
      for (const one of settled) await confirm(one, found, deps);
      return;
    }
  }
  // One by one: a receipt tells of one customer.
  for (const one of settled) {
    await removeSuperseded(lake, config.dataDir, now() - config.erasureSettleMs);
    const again = await sweep([one], deps, true);
    add(one.erased, again.counts);
    const places = ['events', 'decisions', 'merges', 'scores'];
    const rewritten = places.reduce((total, place) => total + (again.counts[place] ?? 0), 0);
    const found = await sweep([one], deps, false);
    const total = sum(found.counts);
    if (rewritten > 0 || total > 0) {
      log.warn(
        { event: 'erasure.again', receiptId: one.receiptId, found: total, rewritten },
        'an erasure met something that had been on its way, and looks again',
      );
      one.lookAt = now() + Math.max(config.erasureSettleMs, total > 0 ? lookAgainMs : 0);
      await deps.files.update(one);
      continue;
    }
    await confirm(one, found, deps);
  }
}

/** Puts the receipt of an erasure down of which nothing is found any more, without the ids that it was found by. */
async function confirm(
  one: Named,
  found: Awaited<ReturnType<typeof sweep>>,
  deps: ErasureDeps,
): Promise<void> {
  const at = new Date(deps.now()).toISOString();
  const nameless: PendingErasure = {
    ...one,
    state: 'compacting',
    customerId: null,
    sessionIds: [],
    decisionIds: [],
    receipt: {
      receiptId: one.receiptId,
      customerHash: one.customerHash,
      sessionHashes: one.sessionHashes,
      requestedAt: new Date(one.requestedAt).toISOString(),
      dueAt: dueAtOf(one.requestedAt),
      erased: one.erased,
      spent: one.spent,
      verification: { at, found: found.counts, total: 0 },
      returned: found.returned.has(one.customerId),
      models: await influencedModels(deps),
    },
  };
  await deps.files.update(nameless);
}

/** Has Redis write its files anew, once for all that have come so far. */
async function compact(deps: ErasureDeps): Promise<number> {
  const { files, redis, queueRedis, now, log } = deps;
  const ready = (await files.pending()).filter(({ state }) => state === 'compacting');
  if (ready.length === 0) return 0;
  const persistence = [await compactRedis(redis), await compactRedis(queueRedis)];
  for (const { receipt } of ready) {
    if (receipt === undefined) continue;
    const completedAt = new Date(now()).toISOString();
    const { receiptId, customerHash, sessionHashes, requestedAt, dueAt, ...rest } = receipt;
    await files.complete({
      receiptId,
      customerHash,
      ...(sessionHashes !== undefined && { sessionHashes }),
      requestedAt,
      dueAt,
      completedAt,
      ...rest,
      persistence,
    });
    log.info({ event: 'erasure.completed', receiptId }, 'an erasure is complete');
  }
  return ready.length;
}

async function influencedModels({ config, now }: ErasureDeps): Promise<ErasureReceipt['models']> {
  const next = CronExpressionParser.parse(config.trainSchedule, { currentDate: new Date(now()), tz: 'UTC' })
    .next()
    .toDate()
    .toISOString();
  return (await listModels(config.modelsDir)).map(({ manifest, current }) => ({
    name: manifest.name,
    version: manifest.version,
    trainedAt: manifest.createdAt,
    served: current,
    influenceUntil: next,
  }));
}

/** A drain that has read what goes would write it after all. */
async function underDrainLock<T>({ redis, keys }: ErasureDeps, work: () => Promise<T>): Promise<T> {
  for (;;) {
    const lock = await takeLock(redis, keys.drainLock);
    if (lock === undefined) {
      await new Promise((resolve) => setTimeout(resolve, lockWaitMs));
      continue;
    }
    try {
      return await work();
    } finally {
      await lock.release();
    }
  }
}

function subjectOf({ customerId, sessionIds, requestedAt }: Named): ErasedSubject {
  return { customerId, sessionIds, until: requestedAt };
}

function plainId(subjectId: string): string {
  return subjectId.startsWith(guestSubject('')) ? subjectId.slice(guestSubject('').length) : subjectId;
}

function add(sums: Counts, counts: Counts): void {
  for (const [place, count] of Object.entries(counts)) sums[place] = (sums[place] ?? 0) + count;
}

function sum(counts: Counts): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
