/**
 * One event of one subject on its way into the stream, in one step where Redis is one server: it is appended unless the stream is
 * full, the event was accepted before, or its subject has been erased; what was seen of the record comes with the answer. To look
 * first and to append then is a round trip more, which a busy machine makes a long one.
 */
import type { LogEntry } from '../../domain/log-entry.ts';
import type { LookedAt } from '../../features/apply-events.ts';
import { markerField } from '../../features/event-markers.ts';
import { RECORD_SCHEMA } from '../../features/registry.ts';
import { logField, streamIsFull } from '../../infra/event-log.ts';
import type { Keys } from '../../infra/keys.ts';
import { namedScript } from '../../infra/named-script.ts';
import type { Redis } from '../../infra/redis.ts';
import { neverErased, type Tombstones } from '../../infra/tombstones.ts';

/**
 * `markerField`: of the event (`event-markers.ts`). `erasedField`: of the subject; '' = nobody is looked for. Answers {-1, entries} where
 * the stream is full, else {0 = nothing was appended, or 1; the record, the marker, the erasure, the stream id}.
 */
const script = namedScript(
  {
    keys: ['stream', 'recordKey', 'markers', 'erasedSubjects'],
    args: ['streamMaxLength', 'markerField', 'erasedField', 'entry'],
  },
  `
local length = redis.call('XLEN', stream)
if length >= tonumber(streamMaxLength) then return {-1, length} end
local record, marker = redis.call('GET', recordKey), redis.call('HGET', markers, markerField)
local erased = erasedField ~= '' and redis.call('HGET', erasedSubjects, erasedField)
if marker or erased then return {0, record, marker, erased, false} end
return {1, record, false, false, redis.call('XADD', stream, '*', '${logField}', entry)}
`,
);

export type LookedAndAppended = {
  looked: LookedAt;
  /** Milliseconds since 1970, or `neverErased`. */
  erasedAt: number;
  /** undefined: it was not appended, for it is marked, or its subject has been erased. */
  streamId: string | undefined;
};

type AppendDeps = {
  redis: Redis;
  keys: Keys;
  config: { streamMaxLength: number };
  tombstones: Pick<Tombstones, 'placeOf'>;
};

/**
 * Of a Redis that is one server, where a script may touch keys of any slot. Throws AppError TOO_MANY_REQUESTS while the stream is full,
 * and rejects where Redis refuses or cannot be reached.
 */
export async function lookAndAppend(
  subjectId: string,
  entry: Extract<LogEntry, { kind: 'event' }>,
  { redis, keys, config, tombstones }: AppendDeps,
): Promise<LookedAndAppended> {
  const { eventId } = entry.event;
  const erased = tombstones.placeOf(subjectId);
  const reply = (await script(redis, {
    stream: keys.eventStream,
    recordKey: keys.record(RECORD_SCHEMA, subjectId),
    markers: keys.eventMarkers(subjectId),
    erasedSubjects: erased.key,
    streamMaxLength: config.streamMaxLength,
    markerField: markerField(eventId),
    erasedField: erased.field,
    entry: JSON.stringify(entry),
  })) as [-1, number] | [0 | 1, Buffer | null, Buffer | null, Buffer | null, Buffer | null];
  if (reply[0] === -1) throw streamIsFull(reply[1]);
  const [, bytes, marker, erasure, streamId] = reply;
  return {
    looked: { bytes, markers: new Map([[eventId, marker]]) },
    erasedAt: erasure === null ? neverErased : Number(erasure.toString()),
    streamId: streamId?.toString(),
  };
}
