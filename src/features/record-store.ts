/**
 * Customer records in Redis. Every write is compare-and-set, so that nobody's update is lost; an event's marker is set in
 * the same step as the record, so that an event counts once, however often it is sent while the marker lives.
 *
 * Of an event without a marker (it expired, or the event was imported from a file) two things can be told here. One that
 * equals the record's last is a repeat, and is not folded. Any other that the record may have had is older than its last:
 * late, so that the customer is put down for a rebuild, and the replay counts each event once.
 *
 * The record says through which id of the event stream it has been brought (`appliedThrough`). A record that was rebuilt
 * from the lake may take its place only if the lake holds everything that it reflects: that rule is `replaceCovered`. By the same
 * rule the record of a customer who has long been silent is let go. One who comes back begins a record that lacks all that was before,
 * consent among it, and is put down for a rebuild.
 */

import { createHash } from 'node:crypto';
import { AppError } from '../domain/errors.ts';
import type { ShopEvent } from '../domain/event.ts';
import { beforeAllIds, compareStreamIds, streamIdParts } from '../domain/stream-id.ts';
import { dayMs } from '../domain/time.ts';
import type { Keys } from '../infra/keys.ts';
import type { Redis } from '../infra/redis.ts';
import { createReadBatch } from '../infra/redis-read-batch.ts';
import { redisScript } from '../infra/redis-script.ts';
import { getMany, slices } from '../infra/redis-together.ts';
import {
  markedStreamId,
  markerField,
  markerTtlMs,
  markerValue,
  setMarkersLua,
  staleBefore,
} from './event-markers.ts';
import { compareEventOrder } from './event-order.ts';
import { isGone, markGone } from './gone-customers.ts';
import { applyEvent, type CustomerRecord, emptyRecord, isLast, isLate } from './record.ts';
import {
  type DecodedRecord,
  decodeRecord,
  encodeRecord,
  stampOf,
  streamIdBytes,
  streamIdLua,
} from './record-codec.ts';
import { RECORD_SCHEMA } from './registry.ts';
import { guestTtlMs, isGuest } from './subject.ts';

/** How long records of another schema are kept: processes of the version before read them until they are replaced. */
export const otherSchemaTtlMs = 7 * dayMs;

/** Each round that fails, another writer's has succeeded: more than this many at once on one customer is no customer. */
const attemptsMax = 100;

/** Events in one script: Lua's stack bounds what it can answer. */
const batchMax = 1000;

/** An event and the id under which it stands in the event stream. */
export type StreamedEvent = { event: ShopEvent; streamId: string };

export type Applied = {
  /**
   * For each event: `applied`, by this call or an earlier one, under its own stream id; `duplicate`: the same event was
   * applied under another stream id, so this entry is a repeat; `known`: there was no marker, but it is the last event that
   * the record reflects. That is a repeat too, but of what cannot be told here: its marker now names this entry, so that
   * an entry whose marker expired before it was drained is not missing from the lake.
   */
  outcomes: ('applied' | 'duplicate' | 'known')[];
  /** Of those applied now, the ones that came after a later event; their customer has been put down for a rebuild. */
  late: number;
};

export type RecordStore = {
  /** The record of a customer or guest; undefined where there is none that can be read (see `onUnreadable`). */
  read: (subjectId: string) => Promise<CustomerRecord | undefined>;
  /** Likewise of many, in their order, in one round trip. */
  readMany: (subjectIds: readonly string[]) => Promise<(CustomerRecord | undefined)[]>;
  /**
   * `readMany` for who needs one after the other: each is decoded when it is asked for, and takes many times its bytes only as long
   * as it is at hand.
   */
  readManyEncoded: (subjectIds: readonly string[]) => Promise<(() => CustomerRecord | undefined)[]>;
  /**
   * The record's stamp, the record (decoded when it is asked for), and another value of the subject's where its key is given, in
   * one round trip, which it shares with whoever reads at the same time.
   */
  readBeside: (subjectId: string, key?: string) => Promise<RecordBeside>;
  /** The same of several values of the subject's, in the order of their keys. */
  readWith: (subjectId: string, keys: readonly string[]) => Promise<RecordWith>;
  /**
   * Folds events of one subject into the record, in order of time; repeats are left out. A record that takes some in then reflects
   * the stream through `through`, where that is later than they are.
   */
  apply: (
    subjectId: string,
    events: readonly StreamedEvent[],
    through?: string,
    early?: LookedAt,
  ) => Promise<Applied>;
  /**
   * The record and the markers of these events, for who is going to apply some of them: where nobody is quicker, that takes one
   * round trip less then.
   */
  look: (subjectId: string, eventIds: readonly string[]) => Promise<LookedAt>;
  /**
   * Lets go of records that the lake can make again, which holds the event stream through the id `through`. Answers for each, as
   * `replaceCovered` does, whether it is gone.
   */
  letGo: (
    customerIds: readonly string[],
    through: string,
    otherSchemas?: readonly string[],
  ) => Promise<boolean[]>;
  /**
   * Writes records that reflect the whole lake, which holds the event stream through the id `through`. Answers for each
   * whether it was written: not where the record in Redis reflects a later event. The same customers' records of
   * `otherSchemas` are given `otherSchemaTtlMs` to live.
   */
  replaceCovered: (
    records: readonly { subjectId: string; record: CustomerRecord }[],
    through: string,
    otherSchemas?: readonly string[],
  ) => Promise<boolean[]>;
};

export type LookedAt = {
  bytes: Buffer | null;
  /** By event id, the stream id under which the event was first applied; null: it was not, as far as is known. */
  markers: ReadonlyMap<string, Buffer | null>;
};

export type RecordBeside = {
  /** undefined: there is no record. */
  stamp: Buffer | undefined;
  record: () => CustomerRecord | undefined;
  beside: Buffer | null;
};

export type RecordWith = Omit<RecordBeside, 'beside'> & { others: (Buffer | null)[] };

export type RecordStoreOptions = {
  /** Called when a stored record cannot be decoded; it is treated as absent, and a customer's is rebuilt. */
  onUnreadable?: (reason: (DecodedRecord & { ok: false })['reason']) => void;
  /** A customer who is asked for after the record was let go is put down for a rebuild. */
  bringBack?: boolean;
};

/**
 * KEYS: the record, the markers (`event-markers.ts`). ARGV: SHA-1 of the record that the new one was made from ('' = there was none),
 * the new record, its lifetime in ms (0 = for ever), what `setMarkersLua` wants: the markers' lifetime, which may go, then each
 * event's field and value.
 * Answers {1}, or {0, record, marker …} as they are where something has changed in between. Comparing contents rather than
 * a counter also holds when a record was deleted and made anew.
 */
const applyScript = redisScript(
  `
local current = redis.call('GET', KEYS[1])
local unchanged = (current and redis.sha1hex(current) or '') == ARGV[1]
local fields = {}
for i = 6, #ARGV, 2 do fields[#fields + 1] = ARGV[i] end
local markers = redis.call('HMGET', KEYS[2], unpack(fields))
for i = 1, #fields do
  if markers[i] then unchanged = false end
end
if not unchanged then return {0, current, unpack(markers)} end
if ARGV[3] == '0' then redis.call('SET', KEYS[1], ARGV[2])
else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
${setMarkersLua(2, 6)}
return {1}
`,
  // The event stream, which a full Redis closes, has taken the events: the record and the marker only follow, and the drain
  // cannot let go of the stream before they do.
  { whenFull: true },
);

/** KEYS: the record. ARGV: what was read. Deletes it, unless it has been written since. */
const discardScript = redisScript(
  `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`,
);

/**
 * KEYS: the record, then the same customer's records of other schemas. ARGV: milliseconds and sequence of the stream id that the
 * lake reaches; lifetime of the others, which one that has a lifetime already keeps. Goes on where the lake covers the record.
 */
const coveredLua = `
for i = 2, #KEYS do
  if redis.call('PTTL', KEYS[i]) == -1 then redis.call('PEXPIRE', KEYS[i], ARGV[3]) end
end
local header = redis.call('GETRANGE', KEYS[1], 0, ${streamIdBytes - 1})
if #header == ${streamIdBytes} then
  ${streamIdLua('header')}
  local throughMs, throughSequence = tonumber(ARGV[1]), tonumber(ARGV[2])
  if ms > throughMs or (ms == throughMs and sequence > throughSequence) then return 0 end
end
`;

/** ARGV after those: the new record. */
const replaceScript = redisScript(`${coveredLua}
redis.call('SET', KEYS[1], ARGV[4])
return 1
`);

const letGoScript = redisScript(`${coveredLua}
redis.call('DEL', KEYS[1])
return 1
`);

export function createRecordStore(redis: Redis, keys: Keys, options: RecordStoreOptions = {}): RecordStore {
  const recordKey = (subjectId: string) => keys.record(RECORD_SCHEMA, subjectId);
  const readKeys = createReadBatch(redis);

  const decoded = (bytes: Buffer | null): CustomerRecord | 'unreadable' | undefined => {
    if (bytes === null) return undefined;
    const result = decodeRecord(bytes);
    if (result.ok) return result.record;
    options.onUnreadable?.(result.reason);
    return 'unreadable';
  };

  /** undefined: there is none, or it is damaged; then it goes, for a rebuild could not tell how far it reaches. */
  const readable = (subjectId: string, bytes: Buffer | null): CustomerRecord | undefined => {
    const record = decoded(bytes);
    if (record !== 'unreadable') return record;
    // The answer does not wait for it; where it fails, the next reader tries again.
    if (bytes !== null) discard(subjectId, bytes).catch(() => {});
    return undefined;
  };

  async function readManyEncoded(
    subjectIds: readonly string[],
  ): Promise<(() => CustomerRecord | undefined)[]> {
    const replies = await getMany(redis, subjectIds.map(recordKey));
    return replies.map((bytes, n) => () => askedFor(subjectIds[n] ?? '', bytes));
  }

  async function discard(subjectId: string, damaged: Buffer): Promise<void> {
    if (!isGuest(subjectId)) await redis.sadd(keys.staleCustomers, subjectId);
    await discardScript(redis, [recordKey(subjectId)], [damaged]);
  }

  /** The answer does not wait for it; where it fails, the next reader tries again. */
  const askedFor = (subjectId: string, bytes: Buffer | null): CustomerRecord | undefined => {
    if (bytes === null && options.bringBack === true) bringBack(subjectId).catch(() => {});
    return readable(subjectId, bytes);
  };

  async function bringBack(subjectId: string): Promise<void> {
    if (await hasLeft(subjectId)) await redis.sadd(keys.staleCustomers, subjectId);
  }

  async function hasLeft(subjectId: string): Promise<boolean> {
    return !isGuest(subjectId) && (await isGone(subjectId, { redis, keys }));
  }

  async function look(subjectId: string, eventIds: readonly string[]): Promise<LookedAt> {
    const key = keys.eventMarkers(subjectId);
    // The markers after the record: of an event that the record has, there is one then.
    const [bytes, ...parts] = await Promise.all([
      redis.getBuffer(recordKey(subjectId)),
      ...slices(eventIds, batchMax).map((some) => redis.hmgetBuffer(key, ...some.map(markerField))),
    ]);
    const markers = parts.flat();
    return { bytes, markers: new Map(eventIds.map((id, e) => [id, markers[e] ?? null])) };
  }

  async function applyBatch(
    subjectId: string,
    events: readonly StreamedEvent[],
    through: string,
    early: LookedAt | undefined,
  ): Promise<Applied> {
    const first = firstById(events);
    const fieldOf = ({ event }: StreamedEvent) => markerField(event.eventId);
    const idOf = ({ event }: StreamedEvent) => event.eventId;
    const found = early ?? (await look(subjectId, first.map(idOf)));
    let { bytes } = found;
    let markers = first.map((entry) => found.markers.get(idOf(entry)) ?? null);
    let pending = first;
    const appliedAs = new Map<string, string>();
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      pending = pending.filter((entry, e) => {
        const marker = markers[e];
        if (marker) appliedAs.set(entry.event.eventId, markedStreamId(marker.toString()));
        return !marker;
      });
      if (pending.length === 0) return { outcomes: outcomesOf(events, appliedAs), late: 0 };

      const known = decoded(bytes);
      const record = known === undefined || known === 'unreadable' ? emptyRecord() : known;
      const { late, repeatOfLast } = foldInOrder(record, pending);
      if (compareStreamIds(through, record.appliedThrough) > 0) record.appliedThrough = through;
      // Before the record is written: a customer put down in vain is harmless, a late event forgotten is not.
      const isPart =
        late > 0 || known === 'unreadable' || (known === undefined && (await hasLeft(subjectId)));
      if (isPart && !isGuest(subjectId)) await redis.sadd(keys.staleCustomers, subjectId);

      const reply = (await applyScript(
        redis,
        [recordKey(subjectId), keys.eventMarkers(subjectId)],
        [
          bytes === null ? '' : createHash('sha1').update(bytes).digest('hex'),
          encodeRecord(record),
          isGuest(subjectId) ? guestTtlMs : 0,
          markerTtlMs,
          staleBefore(pending.map(({ streamId }) => streamId)),
          ...pending.flatMap((entry) => [fieldOf(entry), markerValue(entry.streamId)]),
        ],
      )) as [1] | [0, Buffer | null, ...(Buffer | null)[]];
      if (reply[0] === 1) {
        for (const { event, streamId } of pending) appliedAs.set(event.eventId, streamId);
        return { outcomes: outcomesOf(events, appliedAs, repeatOfLast), late };
      }
      const [, current, ...currentMarkers] = reply;
      bytes = current;
      markers = currentMarkers;
    }
    throw new AppError('CONFLICT', {
      public: 'The customer is being updated too often at once.',
      internal: `a record was changed by others in each of ${attemptsMax} attempts`,
    });
  }

  return {
    async read(subjectId) {
      return askedFor(subjectId, await redis.getBuffer(recordKey(subjectId)));
    },

    async readMany(subjectIds) {
      return (await readManyEncoded(subjectIds)).map((record) => record());
    },

    readManyEncoded,

    // By every page view: no step more than it takes.
    readBeside(subjectId, key) {
      const own = recordKey(subjectId);
      return readKeys(key === undefined ? [own] : [own, key]).then(([bytes = null, beside = null]) => ({
        stamp: bytes === null ? undefined : stampOf(bytes),
        record: () => askedFor(subjectId, bytes),
        beside,
      }));
    },

    readWith(subjectId, others) {
      return readKeys([recordKey(subjectId), ...others]).then(([bytes = null, ...rest]) => ({
        stamp: bytes === null ? undefined : stampOf(bytes),
        record: () => askedFor(subjectId, bytes),
        others: rest,
      }));
    },

    look,

    async apply(subjectId, events, through = beforeAllIds, early = undefined) {
      const whole: Applied = { outcomes: [], late: 0 };
      for (let start = 0; start < events.length; start += batchMax) {
        const { outcomes, late } = await applyBatch(
          subjectId,
          events.slice(start, start + batchMax),
          through,
          start === 0 ? early : undefined,
        );
        whole.outcomes.push(...outcomes);
        whole.late += late;
      }
      return whole;
    },
    async replaceCovered(records, through, otherSchemas = []) {
      const [ms, sequence] = streamIdParts(through);
      const replies = await Promise.all(
        records.map(({ subjectId, record }) => {
          record.appliedThrough = through;
          return replaceScript(
            redis,
            [recordKey(subjectId), ...otherSchemas.map((schema) => keys.record(schema, subjectId))],
            [ms, sequence, otherSchemaTtlMs, encodeRecord(record)],
          );
        }),
      );
      return replies.map((reply) => reply === 1);
    },
    async letGo(customerIds, through, otherSchemas = []) {
      // First the marks: whoever finds no record is to find one.
      await markGone(customerIds, { redis, keys });
      const [ms, sequence] = streamIdParts(through);
      const replies = await Promise.all(
        customerIds.map((customerId) =>
          letGoScript(
            redis,
            [recordKey(customerId), ...otherSchemas.map((schema) => keys.record(schema, customerId))],
            [ms, sequence, otherSchemaTtlMs],
          ),
        ),
      );
      return replies.map((reply) => reply === 1);
    },
  };
}

/** One entry an event id, the first. */
export function firstById(events: readonly StreamedEvent[]): StreamedEvent[] {
  const byId = new Map<string, StreamedEvent>();
  for (const entry of events) if (!byId.has(entry.event.eventId)) byId.set(entry.event.eventId, entry);
  return [...byId.values()];
}

/** By the stream ids under which the events count now. */
function outcomesOf(
  events: readonly StreamedEvent[],
  appliedAs: ReadonlyMap<string, string>,
  repeatOfLast?: StreamedEvent,
): Applied['outcomes'] {
  return events.map(({ event, streamId }) => {
    if (appliedAs.get(event.eventId) !== streamId) return 'duplicate';
    return streamId === repeatOfLast?.streamId ? 'known' : 'applied';
  });
}

/** Applies the events in their order: how many of them were late, and which one repeats the record's last. */
function foldInOrder(
  record: CustomerRecord,
  entries: readonly StreamedEvent[],
): { late: number; repeatOfLast?: StreamedEvent } {
  let late = 0;
  let repeatOfLast: StreamedEvent | undefined;
  for (const entry of [...entries].sort((a, b) => compareEventOrder(a.event, b.event))) {
    if (isLast(record, entry.event)) repeatOfLast = entry;
    else {
      if (isLate(record, entry.event)) late += 1;
      applyEvent(record, entry.event);
    }
    // For a repeat too: should the lake get the event under this id, a record rebuilt before that would lack it.
    if (compareStreamIds(entry.streamId, record.appliedThrough) > 0) record.appliedThrough = entry.streamId;
  }
  return repeatOfLast === undefined ? { late } : { late, repeatOfLast };
}
