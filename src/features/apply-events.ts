/**
 * Folds events into their customer's record in Redis. Every write is compare-and-set, so that nobody's update is lost; an event's marker
 * is set in the same step as the record, so that an event counts once, however often it is sent while the marker lives.
 *
 * Of an event without a marker (it expired, or the event was imported from a file) two things can be told here. One that
 * equals the record's last is a repeat, and is not folded. Any other that the record may have had is older than its last:
 * late, so that the customer is put down for a rebuild, and the replay counts each event once.
 */
import { createHash } from 'node:crypto';
import { AppError } from '../domain/errors.ts';
import type { ShopEvent } from '../domain/event.ts';
import { beforeAllIds, compareStreamIds } from '../domain/stream-id.ts';
import type { Keys } from '../infra/keys.ts';
import { namedScript } from '../infra/named-script.ts';
import { isRedisTrouble, type Redis } from '../infra/redis.ts';
import { slices } from '../infra/redis-together.ts';
import {
  markedStreamId,
  markerField,
  markerTtlMs,
  markerValue,
  setMarkersLua,
  staleBefore,
} from './event-markers.ts';
import { compareEventOrder } from './event-order.ts';
import { createInTurn } from './in-turn.ts';
import { putDownForRebuild } from './put-down-for-rebuild.ts';
import { applyEvent, type CustomerRecord, emptyRecord, isLast, isLate } from './record.ts';
import { encodeRecord } from './record-codec.ts';
import { guestTtlMs, isGuest } from './subject.ts';

/**
 * Each round that fails, a writer of another process has succeeded; those of one process take turns, and so as many compete as there are
 * processes. That is no fair race: of 2,490 writes of two that had sixteen callers each, one in a hundred took more than 15 rounds and one
 * in a thousand more than 54. A round takes a round trip.
 */
const attemptsMax = 1000;

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

export type LookedAt = {
  bytes: Buffer | null;
  /** By event id, the stream id under which the event was first applied; null: it was not, as far as is known. */
  markers: ReadonlyMap<string, Buffer | null>;
};

/** Where records are, and how they are read. */
export type StoredRecords = {
  recordKey: (subjectId: string) => string;
  decoded: (bytes: Buffer | null) => CustomerRecord | 'unreadable' | undefined;
  /** The lake has more of the customer than there is here. */
  hasLeft: (subjectId: string) => Promise<boolean>;
};

export type EventFolding = {
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
};

/**
 * `knownDigest`: SHA-1 of the record that the new one was made from ('' = there was none). `recordMs`: 0 = for ever. Then field and value
 * of each event's marker (`event-markers.ts`).
 * Answers {1}, or {0, record, marker …} as they are where something has changed in between. Comparing contents rather than
 * a counter also holds when a record was deleted and made anew.
 */
const applyScript = namedScript(
  {
    keys: ['recordKey', 'markersKey'],
    args: ['knownDigest', 'record', 'recordMs', 'markerMs', 'staleBefore'],
  },
  `${setMarkersLua}
local current = redis.call('GET', recordKey)
local unchanged = (current and redis.sha1hex(current) or '') == knownDigest
local fields = {}
for i = firstOfRest, #ARGV, 2 do fields[#fields + 1] = ARGV[i] end
local markers = redis.call('HMGET', markersKey, unpack(fields))
for i = 1, #fields do
  if markers[i] then unchanged = false end
end
if not unchanged then return {0, current, unpack(markers)} end
if recordMs == '0' then redis.call('SET', recordKey, record)
else redis.call('SET', recordKey, record, 'PX', recordMs) end
setMarkers(markersKey, ARGV, firstOfRest, markerMs, staleBefore)
return {1}
`,
  // The event stream, which a full Redis closes, has taken the events: the record and the marker only follow, and the drain
  // cannot let go of the stream before they do.
  { whenFull: true },
);

export function createEventFolding(
  redis: Redis,
  keys: Keys,
  { recordKey, decoded, hasLeft }: StoredRecords,
): EventFolding {
  const inTurn = createInTurn(isRedisTrouble);

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
      if (isPart && !isGuest(subjectId)) await putDownForRebuild(redis, keys, [subjectId]);

      const reply = (await applyScript(
        redis,
        {
          recordKey: recordKey(subjectId),
          markersKey: keys.eventMarkers(subjectId),
          knownDigest: bytes === null ? '' : createHash('sha1').update(bytes).digest('hex'),
          record: encodeRecord(record),
          recordMs: isGuest(subjectId) ? guestTtlMs : 0,
          markerMs: markerTtlMs,
          staleBefore: staleBefore(pending.map(({ streamId }) => streamId)),
        },
        pending.flatMap((entry) => [fieldOf(entry), markerValue(entry.streamId)]),
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
    look,

    apply: (subjectId, events, through = beforeAllIds, early = undefined) =>
      inTurn(subjectId, async (hasWaited) => {
        const whole: Applied = { outcomes: [], late: 0 };
        for (let start = 0; start < events.length; start += batchMax) {
          const { outcomes, late } = await applyBatch(
            subjectId,
            events.slice(start, start + batchMax),
            through,
            start === 0 && !hasWaited ? early : undefined,
          );
          whole.outcomes.push(...outcomes);
          whole.late += late;
        }
        return whole;
      }),
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
