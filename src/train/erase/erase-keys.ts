/** What Redis keeps of customers and guests under keys of their own, and of their decisions under those of the decisions. */
import { parseBudgetEntry } from '../../decide/ledger/budget-entry.ts';
import type { BudgetLedger } from '../../decide/ledger/offer-budget.ts';
import type { SpentBudget } from '../../domain/erasure.ts';
import { isGone, unmarkGone } from '../../features/gone-customers.ts';
import type { RecordStore } from '../../features/record-store.ts';
import { countOfDecision, forgetDecision } from '../../infra/decision-places.ts';
import type { Keys } from '../../infra/keys.ts';
import { type Redis, serversOf } from '../../infra/redis.ts';
import type { Tombstones } from '../../infra/tombstones.ts';

type KeyDeps = { redis: Redis; keys: Keys };

const scanCount = 1000;
const atOnce = 500;

/** The keys of each of the subjects, in one pass over everything: what is beside a record has names that only others know. */
async function keysOfSubjects(
  { redis, keys }: KeyDeps,
  subjectIds: ReadonlySet<string>,
): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  const { pattern, start } = keys.ofSubjects;
  for (const server of serversOf(redis))
    for await (const names of server.scanStream({ match: pattern, count: scanCount }) as AsyncIterable<
      string[]
    >)
      for (const name of names) {
        const subjectId = name.slice(start.length, name.indexOf('}', start.length));
        if (subjectIds.has(subjectId)) found.set(subjectId, [...(found.get(subjectId) ?? []), name]);
      }
  return found;
}

/**
 * Counts the subjects' keys; with `erase`, deletes them, and remembers by a hash which events they had. `keep` says of whom
 * nothing is to go: of those who have come back since.
 */
export async function sweepSubjectKeys(
  { redis, keys, tombstones }: KeyDeps & { tombstones: Pick<Tombstones, 'rememberEvent'> },
  subjectIds: ReadonlySet<string>,
  erase: boolean,
  keep: (subjectId: string) => Promise<boolean>,
): Promise<number> {
  let count = 0;
  for (const [subjectId, all] of await keysOfSubjects({ redis, keys }, subjectIds)) {
    const names = [...new Set(all)];
    if (await keep(subjectId)) continue;
    count += names.length;
    if (!erase) continue;
    const markers = keys.eventMarkers(subjectId);
    const [fields, ttlMs] = await Promise.all([redis.hkeys(markers), redis.pttl(markers)]);
    for (const field of fields) await tombstones.rememberEvent(subjectId, field, ttlMs);
    for (let first = 0; first < names.length; first += atOnce)
      await redis.unlink(...names.slice(first, first + atOnce));
  }
  return count;
}

/** Has the subject a record of nothing but what came after `until`? */
export async function hasComeBack(
  records: Pick<RecordStore, 'read'>,
  subjectId: string,
  until: number,
): Promise<boolean> {
  const record = await records.read(subjectId);
  return record !== undefined && record.firstAt > until;
}

/** Members of the lists of records to be rebuilt, and marks of those that were let go. */
export async function sweepRebuildLists(
  { redis, keys }: KeyDeps,
  subjectIds: readonly string[],
  erase: boolean,
): Promise<number> {
  let count = 0;
  if (subjectIds.length === 0) return count;
  for (const list of [keys.staleCustomers, keys.rebuildingCustomers]) {
    const isIn = await Promise.all(subjectIds.map((subjectId) => redis.sismember(list, subjectId)));
    count += isIn.filter((one) => one === 1).length;
    if (erase) await redis.srem(list, ...subjectIds);
  }
  for (const subjectId of subjectIds) {
    const mark = { redis, keys };
    const was = erase ? await unmarkGone(subjectId, mark) : await isGone(subjectId, mark);
    count += was ? 1 : 0;
  }
  return count;
}

/** On which side of the bounds their risk stood. */
export async function sweepRisks(
  { redis, keys }: KeyDeps,
  customerIds: readonly string[],
  erase: boolean,
): Promise<number> {
  let count = 0;
  if (customerIds.length === 0) return count;
  for (const server of serversOf(redis))
    for await (const names of server.scanStream({
      match: keys.webhookRisks,
      count: scanCount,
    }) as AsyncIterable<string[]>)
      for (const name of names) {
        const values = await redis.hmget(name, ...customerIds);
        count += values.filter((value) => value !== null).length;
        if (erase) await redis.hdel(name, ...customerIds);
      }
  return count;
}

/** Decisions, what was reported of them, and what marks them as counted; the counts themselves name nobody and stay. */
export async function sweepDecisionKeys(
  { redis, keys }: KeyDeps,
  decisionIds: readonly string[],
  offerIds: readonly string[],
  erase: boolean,
): Promise<number> {
  let count = 0;
  for (const decisionId of decisionIds) {
    const places = { redis, keys };
    count += await (erase ? forgetDecision(decisionId, places) : countOfDecision(decisionId, places));
    const names = offerIds.map((offerId) => keys.offersRedeemedMarker(decisionId, offerId));
    // One by one: on a cluster they are on several nodes.
    const replies = await Promise.all(names.map((name) => (erase ? redis.unlink(name) : redis.exists(name))));
    count += replies.reduce((sum, reply) => sum + reply, 0);
  }
  return count;
}

/** Reservations and redemptions of the budgets: what is only reserved is given back, what was spent stays spent. */
export async function sweepBudgets(
  { redis, keys, budgets }: KeyDeps & { budgets: Pick<BudgetLedger, 'forget'> },
  decisionIds: readonly string[],
  offerIds: readonly string[],
  erase: boolean,
  now: number,
): Promise<number> {
  let count = 0;
  for (const offerId of offerIds)
    for (let first = 0; first < decisionIds.length; first += atOnce) {
      const some = decisionIds.slice(first, first + atOnce);
      if (erase) count += await budgets.forget(offerId, some, now);
      else {
        const entries = await redis.hmget(keys.budgetReservations(offerId), ...some);
        count += entries.filter((entry) => entry !== null).length;
      }
    }
  return count;
}

/** What of budgets has been spent on these decisions: by redemptions, and by what is paid when it is made. */
export async function spentBudgets(
  { redis, keys }: KeyDeps,
  decisionIds: readonly string[],
  offerIds: readonly string[],
): Promise<SpentBudget[]> {
  const spent: SpentBudget[] = [];
  for (const offerId of offerIds)
    for (let first = 0; first < decisionIds.length; first += atOnce) {
      const some = decisionIds.slice(first, first + atOnce);
      for (const entry of await redis.hmget(keys.budgetReservations(offerId), ...some)) {
        const known = parseBudgetEntry(entry);
        // What is reserved is given back; not so what is paid when it is made.
        if (known === undefined || known.state === 'reserved') continue;
        const { period, costMinor } = known;
        spent.push({
          offerId,
          period,
          state: known.state === 'unbudgeted' ? 'late' : 'confirmed',
          costMinor,
        });
      }
    }
  return spent;
}

/** Ids of all offers that there are or were. */
export async function everyOfferId({ redis, keys }: KeyDeps): Promise<string[]> {
  return await redis.hkeys(keys.offers);
}
