/**
 * Which events of a customer (or guest) have been applied of late, each with the stream id under which it first was: a hash beside the
 * record, from a hash of the event's id (52 bits: among a week's events of one customer no two are alike) to that stream id, both as
 * whole numbers, which Redis keeps as such. A key of its own for each event would take more than ten times the memory.
 *
 * A marker is there for seven days at least, by the stream's time. Fields cannot expire: whoever adds some takes away a few that are
 * older, and a week after the last the whole goes.
 */
import { hash } from 'node:crypto';
import { streamIdParts } from '../domain/stream-id.ts';
import { dayMs } from '../domain/time.ts';
import type { Keys } from '../infra/keys.ts';
import type { Redis } from '../infra/redis.ts';

/** How long a repeat of an event is recognised by its marker alone. */
export const markerTtlMs = 7 * dayMs;

/** Hexadecimal digits of the digest: what doubles hold exactly. */
const fieldDigits = 13;

/** Stream ids of so many of one millisecond are told as whole numbers. */
const perMs = 1000;

/** The field of an event's marker: a whole number, which Redis keeps in nine bytes. */
export function markerField(eventId: string): string {
  return String(Number.parseInt(hash('sha1', eventId, 'hex').slice(0, fieldDigits), 16));
}

/** What the marker says: the stream id as a whole number, milliseconds and then three digits, where it has one; else as it is. */
export function markerValue(streamId: string): string {
  const [ms, sequence] = streamIdParts(streamId);
  return sequence < perMs ? String(ms * perMs + sequence) : streamId;
}

/** The stream id of `markerValue`. */
export function markedStreamId(value: string): string {
  if (value.includes('-')) return value;
  return `${Math.floor(Number(value) / perMs)}-${Number(value) % perMs}`;
}

/** The stream id under which the event was first applied; null: it was not, or longer ago than its marker lives. */
export async function readMarker(
  subjectId: string,
  eventId: string,
  { redis, keys }: { redis: Redis; keys: Pick<Keys, 'eventMarkers'> },
): Promise<string | null> {
  const value = await redis.hget(keys.eventMarkers(subjectId), markerField(eventId));
  return value === null ? null : markedStreamId(value);
}

/** The instant, milliseconds since 1970, before which a marker may go, when markers of these stream ids are added. */
export function staleBefore(streamIds: readonly string[]): number {
  return Math.max(...streamIds.map((id) => streamIdParts(id)[0])) - markerTtlMs;
}

/**
 * Lua: sets the markers that `list` has from `first` on, field and value in turn, in the hash `key`, which then lives `lifetimeMs`.
 * `staleBefore` says which may go: it looks at twice as many as it adds, by chance, so that few old ones stay.
 */
export const setMarkersLua = `
local function setMarkers(key, list, first, lifetimeMs, staleBefore)
  for i = first, #list, 2 do redis.call('HSET', key, list[i], list[i + 1]) end
  local added = (#list - first + 1) / 2
  local some = redis.call('HRANDFIELD', key, -2 * (added + 1), 'WITHVALUES')
  for i = 1, #some, 2 do
    local ms, sequence = string.match(some[i + 1], '^(%d+)(%-?)')
    ms = sequence == '-' and tonumber(ms) or math.floor((tonumber(ms) or 0) / ${perMs})
    if ms < tonumber(staleBefore) then redis.call('HDEL', key, some[i]) end
  end
  redis.call('PEXPIRE', key, lifetimeMs)
end
`;
