/**
 * The drain: moves the event stream into the lake. An entry leaves the stream only after the part that holds it has been
 * renamed into place, and a part's name tells which entries it holds: killed at any point, the next drain repeats or resumes.
 * What it writes into Redis meanwhile a full one takes too, for it ends with room.
 *
 * An event counts where its marker names the entry. Another entry's id there means a repeat, which is dropped. No marker
 * means that the process which accepted the event fell before it reached the record: it is applied now.
 *
 * A marker lives for seven days, and an event that was imported from a file never had one. Such a repeat gets a marker
 * of its own and may have been folded into the record once more. So entries that tell of something past are looked up in the
 * lake: what it has is dropped, and the customer is put down for a rebuild, which counts the event once. What happened within
 * a minute of its being sent is not looked up, so that live traffic does not pay: its marker cannot have expired, and no
 * export of the shop's own is that fresh. A repeat that comes without the time of the first is a new event, seven days on.
 */

import { type ShopEvent, tellsOfOffers } from '../domain/event.ts';
import type { CustomerId } from '../domain/ids.ts';
import type { MergeEntry } from '../domain/log-entry.ts';
import { beforeAllIds, compareStreamIds, nextStreamId, streamIdParts } from '../domain/stream-id.ts';
import { dayMs } from '../domain/time.ts';
import { firstById, type StreamedEvent } from '../features/apply-events.ts';
import { markerTtlMs, readMarker } from '../features/event-markers.ts';
import { compareEventOrder } from '../features/event-order.ts';
import { keepGuestEvents } from '../features/guest-events.ts';
import { putDownForRebuild } from '../features/put-down-for-rebuild.ts';
import type { RecordStore } from '../features/record-store.ts';
import { isGuest, subjectOf } from '../features/subject.ts';
import { forgetDecision } from '../infra/decision-places.ts';
import { logField } from '../infra/event-log.ts';
import type { Keys } from '../infra/keys.ts';
import type { Logger } from '../infra/logger.ts';
import type { Redis } from '../infra/redis.ts';
import { callWhenFull } from '../infra/redis-script.ts';
import { neverErased, type Tombstones } from '../infra/tombstones.ts';
import { unreadableEventParts } from './damaged-parts.ts';
import { takeLock } from './drain-lock.ts';
import {
  isErasedEntry,
  readEntries,
  type StreamEntry,
  type StreamLag,
  streamLag,
  subjectOfEntry,
} from './event-stream.ts';
import { eventsInLake } from './known-events.ts';
import type { Lake } from './lake.ts';
import { streamPartName } from './part-names.ts';
import { lastIdInLake, removeLeftovers } from './stream-parts.ts';
import { type DrainedEntries, writeEntries } from './write-entries.ts';

export type DrainDeps = {
  redis: Redis;
  keys: Keys;
  lake: Lake;
  recordStore: RecordStore;
  /** Milliseconds since 1970. */
  now: () => number;
  log?: Pick<Logger, 'error' | 'warn'>;
  /** Who has been erased: what happened before that, or came before it, does not reach the lake. */
  tombstones: Pick<Tombstones, 'erasedAt'>;
  /** Entries in one part. */
  maxEntries?: number;
  /**
   * Hears of the events that count (undefined: nobody does), before they are in the lake and let go of. Where it rejects, the round does. Called again
   * with the same events by the drain that comes after one that was killed.
   */
  onEvents: ((events: readonly ShopEvent[]) => Promise<void>) | undefined;
};

export type DrainReport = {
  /** true: another process is draining; nothing was done. */
  locked: boolean;
  /** Entries taken off the stream; of those, by what they were: */
  entries: number;
  events: number;
  /** Repeats, dropped. */
  duplicates: number;
  catalogueChanges: number;
  decisions: number;
  /** Of customers who have been erased since, dropped. */
  erased: number;
  /** Put aside in `keys.unreadableEntries`. */
  unreadable: number;
  /** Events that had not reached their record, and now have; and how long after they were accepted, seconds for each. */
  repaired: number;
  repairedAfterSeconds: number[];
  /** What waits now. */
  lag: StreamLag;
};

const defaultMaxEntries = 20_000;
const markersAtOnce = 1000;
const unreadableKept = 10_000;
/** What is told this long after it happened, or later, is looked up in the lake. */
const pastMs = 60_000;
/** Without a marker, an entry of this age by Redis's clock may have had one that expired: only a rebuild can tell. */
const markerTrustedMs = markerTtlMs - dayMs;

/** Moves up to `maxEntries` entries into the lake. Rejects when Redis or the disk fails; then nothing is lost. */
export async function drainOnce(deps: DrainDeps): Promise<DrainReport> {
  const { redis, keys, lake, now } = deps;
  const report: DrainReport = {
    locked: false,
    entries: 0,
    events: 0,
    duplicates: 0,
    catalogueChanges: 0,
    decisions: 0,
    erased: 0,
    unreadable: 0,
    repaired: 0,
    repairedAfterSeconds: [],
    lag: { length: 0, oldestAgeMs: 0 },
  };
  const lock = await takeLock(redis, keys.drainLock);
  if (lock === undefined) return { ...report, locked: true, lag: await streamLag(redis, keys, now()) };
  try {
    const after = await resume(deps);
    const entries = await readEntries(redis, keys, after, deps.maxEntries ?? defaultMaxEntries);
    const last = entries.at(-1)?.id;
    if (last !== undefined) {
      const drained = await sortOut(entries, deps, report);
      await deps.onEvents?.(drained.events);
      if (!(await lock.stillHeld())) throw new Error('the drain lock was lost');
      await writeEntries(lake, streamPartName(entries[0]!.id, last), drained);
      await forget(deps, last);
      report.entries = entries.length;
    }
    return { ...report, lag: await streamLag(redis, keys, now()) };
  } finally {
    await lock.release();
  }
}

/** Drains until nothing waits; answers the sum. Waits while another process drains. */
export async function drainAll(
  deps: DrainDeps,
  onBatch: (report: DrainReport) => void | Promise<void> = () => {},
): Promise<number> {
  let total = 0;
  for (;;) {
    const report = await drainOnce(deps);
    await onBatch(report);
    total += report.entries;
    if (report.locked) await new Promise((resolve) => setTimeout(resolve, 100));
    else if (report.entries === 0) return total;
  }
}

/** The last id that the lake holds; 0-0 before the first drain. */
export async function drainedThrough(redis: Redis, keys: Keys): Promise<string> {
  return (await redis.get(keys.drainedThrough)) ?? beforeAllIds;
}

/** Where to go on; first finishes what a drain that was killed between renaming and trimming has left. */
async function resume(deps: DrainDeps): Promise<string> {
  const { redis, keys, lake, log } = deps;
  const removed = await removeLeftovers(lake);
  if (removed > 0)
    log?.warn({ event: 'drain.leftovers', removed }, 'removed what an interrupted drain had left');
  const known = await drainedThrough(redis, keys);
  const inLake = await lastIdInLake(lake);
  if (compareStreamIds(inLake, known) <= 0) return known;
  await forget(deps, inLake);
  await raiseIds(deps, inLake);
  return inLake;
}

/** Lets go of the stream through `last`, which the lake holds. */
async function forget({ redis, keys }: DrainDeps, last: string): Promise<void> {
  // First the mark, then the trim: entries below the mark are never read again.
  await callWhenFull(redis, 'SET', keys.drainedThrough, last);
  await redis.xtrim(keys.eventStream, 'MINID', nextStreamId(last));
}

/** Sees to it that new ids are greater, should this be a new Redis whose clock is behind that of the last one. */
async function raiseIds({ redis, keys }: DrainDeps, above: string): Promise<void> {
  const id = nextStreamId(above);
  try {
    await callWhenFull(redis, 'XADD', keys.eventStream, id, logField, '{}');
    await redis.xdel(keys.eventStream, id);
  } catch (err) {
    // Its ids are greater already.
    if (!(err instanceof Error && err.message.includes('equal or smaller'))) throw err;
  }
}

/** What of the entries goes into the lake; counts in the report what does not. */
async function sortOut(
  entries: readonly StreamEntry[],
  deps: DrainDeps,
  report: DrainReport,
): Promise<DrainedEntries> {
  const streamed: StreamedEvent[] = [];
  const merges: MergeEntry[] = [];
  const drained: DrainedEntries = { events: [], catalogue: [], decisions: [], merges };
  const told = await asCustomers(entries, deps);
  const erased = await erasedEntries(told, deps);
  report.erased = erased.size;
  for (const one of told) {
    const { id, entry, text } = one;
    if (erased.has(one)) {
      // The erasure finds ids of decisions in the stream and the lake: this one would be in neither.
      if (entry?.kind === 'decision' && entry.decision.decisionId !== null)
        await forgetDecision(entry.decision.decisionId, deps);
      continue;
    }
    if (entry === undefined) {
      report.unreadable++;
      await putAside(deps, id, text);
    } else if (entry.kind === 'event') streamed.push({ event: entry.event, streamId: id });
    else if (entry.kind === 'decision') drained.decisions.push(entry.decision);
    else if (entry.kind === 'merge') merges.push(entry);
    else drained.catalogue.push(entry);
  }
  const counted = await firstApplied(streamed, deps, report);
  drained.events = (await notInLake(counted, deps, entries[0]!.id)).map(withTold);
  report.events = drained.events.length;
  report.duplicates = streamed.length - drained.events.length;
  report.decisions = drained.decisions.length;
  report.catalogueChanges = drained.catalogue.length;
  return drained;
}

/** The event, with when it was accepted where that counts. */
function withTold({ event, streamId }: StreamedEvent): ShopEvent {
  return tellsOfOffers(event) ? { ...event, toldAt: streamIdParts(streamId)[0] } : event;
}

/** The entries, with events of guests who have logged in as the customers'. */
async function asCustomers(
  entries: readonly StreamEntry[],
  { redis, keys }: Pick<DrainDeps, 'redis' | 'keys'>,
): Promise<StreamEntry[]> {
  const guests = new Set<string>();
  for (const { entry } of entries)
    if (entry?.kind === 'event' && isGuest(subjectOf(entry.event))) guests.add(subjectOf(entry.event));
  if (guests.size === 0) return [...entries];
  const ids = [...guests];
  const customerOf = new Map<string, CustomerId>();
  for (let start = 0; start < ids.length; start += markersAtOnce) {
    const some = ids.slice(start, start + markersAtOnce);
    const customers = await Promise.all(some.map((subjectId) => redis.get(keys.mergedInto(subjectId))));
    some.forEach((subjectId, s) => {
      const customerId = customers[s];
      if (typeof customerId === 'string') customerOf.set(subjectId, customerId as CustomerId);
    });
  }
  return entries.map((one) => {
    if (one.entry?.kind !== 'event') return one;
    const customerId = customerOf.get(subjectOf(one.entry.event));
    if (customerId === undefined) return one;
    return { ...one, entry: { kind: 'event', event: { ...one.entry.event, customerId } } };
  });
}

/** Entries of customers who have been erased: of what happened until then, and what came until then. */
async function erasedEntries(
  entries: readonly StreamEntry[],
  { tombstones }: Pick<DrainDeps, 'tombstones'>,
): Promise<Set<StreamEntry>> {
  const bySubject = new Map<string, StreamEntry[]>();
  for (const one of entries) {
    const subjectId = subjectOfEntry(one);
    if (subjectId === undefined) continue;
    const ofSubject = bySubject.get(subjectId) ?? [];
    if (ofSubject.length === 0) bySubject.set(subjectId, ofSubject);
    ofSubject.push(one);
  }
  const gone = new Set<StreamEntry>();
  const subjectIds = [...bySubject.keys()];
  for (let start = 0; start < subjectIds.length; start += markersAtOnce) {
    const some = subjectIds.slice(start, start + markersAtOnce);
    const until = await tombstones.erasedAt(some);
    some.forEach((subjectId, s) => {
      for (const one of bySubject.get(subjectId) ?? [])
        if (isErasedEntry(one, until[s] ?? neverErased)) gone.add(one);
    });
  }
  return gone;
}

/** An entry whose event counts; `repeat`: the record had the event before. */
type CountedEntry = StreamedEvent & { repeat: boolean };

/** The entries under which their events were applied; brings to their record those that never were. */
async function firstApplied(
  streamed: readonly StreamedEvent[],
  { redis, keys, recordStore, now }: DrainDeps,
  report: DrainReport,
): Promise<CountedEntry[]> {
  const kept = new Set<StreamedEvent>();
  const repeats = new Set<StreamedEvent>();
  const missing = new Map<string, StreamedEvent[]>();
  for (let start = 0; start < streamed.length; start += markersAtOnce) {
    const some = streamed.slice(start, start + markersAtOnce);
    const markers = await Promise.all(
      some.map(({ event }) => readMarker(subjectOf(event), event.eventId, { redis, keys })),
    );
    some.forEach((entry, e) => {
      if (markers[e] === entry.streamId) kept.add(entry);
      else if (markers[e] === null) {
        const subjectId = subjectOf(entry.event);
        const entriesOfSubject = missing.get(subjectId) ?? [];
        if (entriesOfSubject.length === 0) missing.set(subjectId, entriesOfSubject);
        entriesOfSubject.push(entry);
      }
    });
  }
  // By the clock that stamped the entries and lets markers expire. By this process's own, where that runs ahead, every entry would
  // seem to be so old, get no marker, and count once more when its sender sends it again.
  const oldest = missing.size === 0 ? 0 : (await redisNow(redis)) - markerTrustedMs;
  for (const [subjectId, entries] of missing) {
    const recent = entries.filter(({ streamId }) => streamIdParts(streamId)[0] >= oldest);
    const expired = entries.filter(({ streamId }) => streamIdParts(streamId)[0] < oldest);
    if (expired.length > 0 && !isGuest(subjectId)) await putDownForRebuild(redis, keys, [subjectId]);
    for (const entry of firstById(expired)) kept.add(entry);
    recent.sort((a, b) => compareEventOrder(a.event, b.event));
    const { outcomes } = await recordStore.apply(subjectId, recent);
    // As the process would have done that has fallen: a log-in asks for what the guest has told.
    const late = recent.filter((_, e) => outcomes[e] === 'applied');
    if (isGuest(subjectId) && late.length > 0) await keepGuestEvents(subjectId, late, { redis, keys });
    recent.forEach((entry, e) => {
      if (outcomes[e] === 'duplicate') return;
      kept.add(entry);
      if (outcomes[e] === 'known') repeats.add(entry);
      else {
        report.repaired++;
        report.repairedAfterSeconds.push(Math.max(0, now() - streamIdParts(entry.streamId)[0]) / 1000);
      }
    });
  }
  return streamed
    .filter((entry) => kept.has(entry))
    .map((entry) => ({ ...entry, repeat: repeats.has(entry) }));
}

/** Redis's clock, milliseconds since 1970; of a cluster that of one of its nodes. */
async function redisNow(redis: Redis): Promise<number> {
  const [seconds, micros] = await redis.time();
  return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
}

/** Drops what the lake has already. The batch begins at the id `first`. */
async function notInLake(
  entries: readonly CountedEntry[],
  deps: DrainDeps,
  first: string,
): Promise<CountedEntry[]> {
  const past = entries.filter(
    ({ event, streamId, repeat }) => repeat || event.occurredAt < streamIdParts(streamId)[0] - pastMs,
  );
  // Not in parts that reach into this batch: they are of a drain that lost its lock, and go when this part is written.
  const known = await lookedUp(past, deps, first);
  const customerIds = new Set<string>();
  for (const { event } of known) if (event.customerId !== undefined) customerIds.add(event.customerId);
  await putDownForRebuild(deps.redis, deps.keys, customerIds);
  return entries.filter((entry) => !known.has(entry));
}

/**
 * Goes on beside parts that cannot be read: a repeat of what they hold is then in the lake twice, which a replay counts once,
 * where events that pile up in the stream would be refused in the end.
 */
async function lookedUp(
  past: readonly CountedEntry[],
  { lake, log }: DrainDeps,
  first: string,
): Promise<Set<CountedEntry>> {
  try {
    return await eventsInLake(lake, past, first);
  } catch (err) {
    const unreadable = await unreadableEventParts(lake);
    if (unreadable.size === 0) throw err;
    log?.error(
      { event: 'lake.damaged', files: [...unreadable] },
      'parts of the lake cannot be read: put them back from a backup, for records and models wait for them',
    );
    return await eventsInLake(lake, past, first, unreadable);
  }
}

/** Keeps an entry that cannot be read here, of a later version perhaps, where somebody can look at it. */
async function putAside({ redis, keys, log }: DrainDeps, id: string, text: string): Promise<void> {
  log?.error(
    { event: 'drain.unreadable', streamId: id },
    'an entry of the event stream cannot be read and was put aside',
  );
  await callWhenFull(
    redis,
    'XADD',
    keys.unreadableEntries,
    'MAXLEN',
    '~',
    unreadableKept,
    '*',
    logField,
    text,
    'streamId',
    id,
  );
}
