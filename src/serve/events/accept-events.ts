/**
 * Accepting events. Once they are in the event stream they are accepted, and nothing that fails afterwards can lose them;
 * then each customer's record is brought up to date, so that the next answer knows of them.
 */

import { randomUUID } from 'node:crypto';
import { AppError } from '../../domain/errors.ts';
import { eventValueMinor, type ParsedEventInput, type ShopEvent } from '../../domain/event.ts';
import type { EventId } from '../../domain/ids.ts';
import { moneyMaxMinor } from '../../domain/money.ts';
import { dayMs, earliestMs } from '../../domain/time.ts';
import type { Applied, LookedAt, StreamedEvent } from '../../features/apply-events.ts';
import { markerField } from '../../features/event-markers.ts';
import { asCustomer, keepGuestEvents } from '../../features/guest-events.ts';
import type { RecordStore } from '../../features/record-store.ts';
import { isGuest, subjectOf } from '../../features/subject.ts';
import { appendEntries, refuseWhileFull } from '../../infra/event-log.ts';
import type { Keys } from '../../infra/keys.ts';
import type { Logger } from '../../infra/logger.ts';
import { isCluster, isRedisTrouble, type Redis } from '../../infra/redis.ts';
import { slices } from '../../infra/redis-together.ts';
import { storeFault } from '../../infra/refused-writes.ts';
import { neverErased, type Tombstones } from '../../infra/tombstones.ts';
import { lookAndAppend } from './look-and-append.ts';
import { orderEventId } from './order-event-id.ts';
import { type StampedFrom, withStampedLines } from './stamp-lines.ts';

export type AcceptDeps = {
  redis: Redis;
  keys: Keys;
  records: Pick<RecordStore, 'apply' | 'look'>;
  /** Stamps categories (what the shop says of an item counts, not what a sender says) and prices where there are none. */
  catalogue: StampedFrom;
  config: { currency: string; streamMaxLength: number };
  /** Who has been erased. */
  tombstones: Pick<Tombstones, 'erasedAt' | 'placeOf' | 'knewEvents'>;
  /** Milliseconds since 1970. */
  now: () => number;
  log: Pick<Logger, 'error'>;
};

export type EventResult = {
  eventId: string;
  status: 'accepted' | 'duplicate' | 'rejected';
  /** Why it was rejected. */
  reason?: string;
};

export type AcceptResult = {
  accepted: number;
  /**
   * Dropped: an event of the same subject and eventId was accepted within the last seven days, or is the record's last. Any
   * other repeat counts among the accepted, until the drain finds it in the lake.
   */
  duplicates: number;
  rejected: number;
  /** Of those accepted, the ones that are not in their record yet: the drain brings them there. */
  deferred: number;
  /** One for each event, in the order in which they came. */
  results: EventResult[];
};

/** Is called once the events are in the stream, before their records are brought up to date. Repeats are among them. */
export type WhenAccepted = (results: readonly Readonly<EventResult>[]) => void;

/** Clocks differ; a day more than that is a mistake, and would make everything after it late. */
const aheadMaxMs = dayMs;
/** Half of a surrogate pair as `JSON.stringify` writes it: it would not survive UTF-8. */
const loneSurrogate = /(?<!\\)(?:\\\\)*\\ud[89a-f]/;
const retryAfterSeconds = 5;

/**
 * Customers whose records are read, and written, together. Of a thousand the process would be at work for so long without a look at the
 * network that it took replies which had long come, its own and those of other requests, for late.
 */
const subjectsAtOnce = 50;

const erasedReason = 'the customer has been erased since this happened';

/**
 * Accepts what is valid, rejects the rest with a reason each, drops repeats. Throws TOO_MANY_REQUESTS while the stream is
 * full, STORE_REFUSES_WRITES or STORE_UNAVAILABLE when Redis refuses or is away: then nothing was accepted, or (the connection
 * broke while Redis answered) it cannot be told; sent again with the same ids, everything counts once.
 */
export async function acceptEvents(
  inputs: readonly ParsedEventInput[],
  deps: AcceptDeps,
  whenAccepted?: WhenAccepted,
): Promise<AcceptResult> {
  const now = deps.now();
  const results: EventResult[] = [];
  const candidates: Candidate[] = [];
  inputs.forEach((input, index) => {
    const event = settle(input, now, deps.catalogue);
    const reason = faultOf(input, event, now, deps.config.currency);
    results.push({ eventId: event.eventId, status: reason === undefined ? 'accepted' : 'rejected' });
    if (reason === undefined) candidates.push({ event, subjectId: subjectOf(event), index });
    else results[index] = { eventId: event.eventId, status: 'rejected', reason };
  });

  const { fresh, looked, streamIds } = await reachable(appendFresh(candidates, results, deps));

  whenAccepted?.(results);
  const bySubject = new Map<string, Indexed[]>();
  fresh.forEach(({ event, subjectId, index }, f) => {
    const entries = bySubject.get(subjectId) ?? [];
    if (entries.length === 0) bySubject.set(subjectId, entries);
    entries.push({ event, streamId: streamIds[f] ?? '', index });
  });
  const deferred = await applyAll(bySubject, looked, results, deps);
  const count = (status: EventResult['status']) =>
    results.filter((result) => result.status === status).length;
  return {
    accepted: count('accepted'),
    duplicates: count('duplicate'),
    rejected: count('rejected'),
    deferred,
    results,
  };
}

/** An event that is valid, and where it came in the request. */
type Candidate = { event: ShopEvent; subjectId: string; index: number };

type Indexed = StreamedEvent & { index: number };

/** Those that are in the stream now, the ids they have there, and what was seen of their subjects. */
type Appended = { fresh: Candidate[]; looked: ReadonlyMap<string, LookedAt>; streamIds: string[] };

/** All or none; repeats are marked as duplicates, and left out. */
async function appendFresh(
  candidates: readonly Candidate[],
  results: EventResult[],
  deps: AcceptDeps,
): Promise<Appended> {
  const [only, another] = candidates;
  // Nearly all that a page sends. The keys of a cluster lie on different nodes.
  if (only !== undefined && another === undefined && !isCluster(deps.redis))
    return await appendOne(only, results, deps);
  const { fresh, looked } = await withoutRepeats(candidates, results, deps);
  return { fresh, looked, streamIds: await append(fresh, deps) };
}

async function appendOne(one: Candidate, results: EventResult[], deps: AcceptDeps): Promise<Appended> {
  const { event, subjectId } = one;
  const { looked, erasedAt, streamId } = await lookAndAppend(subjectId, { kind: 'event', event }, deps);
  const seen = { looked: new Map([[subjectId, looked]]), erasedAt: new Map([[subjectId, erasedAt]]) };
  if (streamId !== undefined) return { fresh: [one], looked: seen.looked, streamIds: [streamId] };
  // A repeat; or of somebody who was erased, and may have become a customer anew.
  const fresh = await freshOf([one], seen, results, deps);
  return { fresh, looked: seen.looked, streamIds: await append(fresh, deps) };
}

function append(fresh: readonly Candidate[], { redis, keys }: AcceptDeps): Promise<string[]> {
  return appendEntries(
    redis,
    keys,
    fresh.map(({ event }) => ({ kind: 'event', event })),
  );
}

/**
 * Brings the subjects' records up to date, some at a time, and puts down what turns out to be a repeat. Answers how many events are left
 * to the drain.
 */
async function applyAll(
  bySubject: ReadonlyMap<string, readonly Indexed[]>,
  looked: ReadonlyMap<string, LookedAt>,
  results: EventResult[],
  deps: AcceptDeps,
): Promise<number> {
  let deferred = 0;
  let fault: unknown;
  let isAway = false;
  for (const some of slices([...bySubject], subjectsAtOnce)) {
    let failed = 0;
    await Promise.all(
      some.map(async ([subjectId, entries]) => {
        try {
          // None of the others had an answer: nor would these, each after having waited for it.
          if (isAway) throw fault;
          const { outcomes } = isGuest(subjectId)
            ? await applyToGuest(subjectId, entries, looked.get(subjectId), deps)
            : await deps.records.apply(subjectId, entries, undefined, looked.get(subjectId));
          outcomes.forEach((outcome, e) => {
            const result = results[entries[e]?.index ?? -1];
            // Another request was quicker with the same event, or its marker had expired: the drain sees to this entry.
            if (outcome !== 'applied' && result !== undefined) result.status = 'duplicate';
          });
        } catch (err) {
          fault = err;
          failed++;
          deferred += entries.length;
        }
      }),
    );
    isAway = failed === some.length && isRedisTrouble(fault);
  }
  if (deferred > 0)
    deps.log.error(
      { event: 'record.deferred', err: fault, events: deferred },
      'records were not updated; the drain will',
    );
  return deferred;
}

/** A guest who has logged in meanwhile is the customer: then the events are the customer's, under the same stream ids. */
async function applyToGuest(
  subjectId: string,
  entries: readonly StreamedEvent[],
  early: LookedAt | undefined,
  deps: AcceptDeps,
): Promise<Applied> {
  const applied = await deps.records.apply(subjectId, entries, undefined, early);
  const fresh = entries.filter((_, e) => applied.outcomes[e] === 'applied');
  if (fresh.length === 0) return applied;
  const customerId = await keepGuestEvents(subjectId, fresh, deps);
  if (customerId === undefined) return applied;
  const own = fresh.map(({ event, streamId }) => ({ event: asCustomer(event, customerId), streamId }));
  const { outcomes, late } = await deps.records.apply(customerId, own);
  const outcomeOf = new Map(fresh.map(({ streamId }, f) => [streamId, outcomes[f] ?? 'duplicate']));
  return {
    outcomes: entries.map(({ streamId }, e) => outcomeOf.get(streamId) ?? applied.outcomes[e] ?? 'duplicate'),
    late,
  };
}

/** Settles what the sender may leave open. */
function settle(input: ParsedEventInput, now: number, catalogue: AcceptDeps['catalogue']): ShopEvent {
  const { currency: _currency, ...rest } = input;
  const event = {
    ...rest,
    eventId: input.eventId ?? orderEventId(input) ?? (randomUUID() as EventId),
    occurredAt: input.occurredAt ?? now,
  } as ShopEvent;
  return withStampedLines(event, catalogue);
}

function faultOf(
  input: ParsedEventInput,
  event: ShopEvent,
  now: number,
  currency: string,
): string | undefined {
  if (event.occurredAt > now + aheadMaxMs) return 'occurredAt lies more than a day in the future';
  if (event.occurredAt < earliestMs)
    return 'occurredAt lies before 1990: a number is milliseconds since 1970, not seconds';
  if (input.currency !== undefined && input.currency !== currency)
    return `currency is ${input.currency}, the shop's is ${currency}`;
  if (Math.abs(eventValueMinor(event)) > moneyMaxMinor)
    return `the lines come to more than ${moneyMaxMinor}: unitPriceMinor and discountMinor are in minor units (cents), quantity in pieces`;
  if (loneSurrogate.test(JSON.stringify(event))) return 'a text holds half of a surrogate pair';
  return undefined;
}

/**
 * What was not accepted before, and what was seen of each subject; marks the others as duplicates. Also looks whether the stream has
 * room.
 */
async function withoutRepeats(
  candidates: readonly Candidate[],
  results: EventResult[],
  deps: AcceptDeps,
): Promise<Pick<Appended, 'fresh' | 'looked'>> {
  const { redis, keys, config, records, tombstones } = deps;
  if (candidates.length === 0) return { fresh: [], looked: new Map() };
  const eventIds = new Map<string, Set<string>>();
  for (const { event, subjectId } of candidates) {
    const ids = eventIds.get(subjectId) ?? new Set();
    eventIds.set(subjectId, ids.add(event.eventId));
  }
  const subjectIds = [...eventIds.keys()];
  const looked = new Map<string, LookedAt>();
  const lookAt = (some: readonly [subjectId: string, eventIds: ReadonlySet<string>][]) =>
    Promise.all(
      some.map(async ([subjectId, ids]) => looked.set(subjectId, await records.look(subjectId, [...ids]))),
    );
  const [first = [], ...others] = slices([...eventIds], subjectsAtOnce);
  const [, erasures] = await Promise.all([
    refuseWhileFull(redis, keys, config.streamMaxLength),
    tombstones.erasedAt(subjectIds),
    lookAt(first),
  ]);
  for (const some of others) await lookAt(some);
  const erasedAt = new Map(subjectIds.map((id, s) => [id, erasures[s] ?? neverErased]));
  return { fresh: await freshOf(candidates, { looked, erasedAt }, results, deps), looked };
}

/** By what was seen of their subjects; `erasedAt` as `Tombstones` answers it. */
async function freshOf(
  candidates: readonly Candidate[],
  { looked, erasedAt }: { looked: Appended['looked']; erasedAt: ReadonlyMap<string, number> },
  results: EventResult[],
  { tombstones }: AcceptDeps,
): Promise<Candidate[]> {
  const refused = await ofTheErased(candidates, erasedAt, tombstones);
  const seen = new Set<string>();
  return candidates.filter((candidate) => {
    const { event, subjectId, index } = candidate;
    if (refused.has(candidate)) {
      results[index] = { eventId: event.eventId, status: 'rejected', reason: erasedReason };
      return false;
    }
    const key = `${subjectId} ${markerField(event.eventId)}`;
    const isMarked = (looked.get(subjectId)?.markers.get(event.eventId) ?? null) !== null;
    const repeat = isMarked || seen.has(key);
    seen.add(key);
    const result = results[index];
    if (repeat && result !== undefined) result.status = 'duplicate';
    return !repeat;
  });
}

/** What happened before the erasure, or (told without a time of its own) is known to have been sent before it. */
async function ofTheErased(
  candidates: readonly Candidate[],
  erasedAt: ReadonlyMap<string, number>,
  tombstones: AcceptDeps['tombstones'],
): Promise<Set<Candidate>> {
  const until = ({ subjectId }: Candidate) => erasedAt.get(subjectId) ?? neverErased;
  const erased = candidates.filter((candidate) => until(candidate) !== neverErased);
  if (erased.length === 0) return new Set();
  const known = await tombstones.knewEvents(
    erased.map(({ event, subjectId }) => ({ subjectId, marker: markerField(event.eventId) })),
  );
  return new Set(erased.filter((candidate, e) => known[e] || candidate.event.occurredAt <= until(candidate)));
}

async function reachable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (err) {
    if (err instanceof AppError) throw err;
    throw storeFault(err, {
      public: 'Events cannot be stored at the moment.',
      internal: 'the event stream could not be written',
      retryAfterSeconds,
    });
  }
}
