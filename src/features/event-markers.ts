/**
 * Which events of a customer (or guest) have been applied of late, each with the stream id under which it first was: a hash beside the
 * record, from a hash of the event's id (64 bits: among a week's events of one customer no two are alike) to that stream id. A key of
 * its own for each event would take eight times the memory.
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

/** Characters of the digest: 6 bits each. */
const fieldLength = 11;

/** The field of an event's marker. */
export function markerField(eventId: string): string {
  return hash('sha1', eventId, 'base64url').slice(0, fieldLength);
}

/** The stream id under which the event was first applied; null: it was not, or longer ago than its marker lives. */
export async function readMarker(
  subjectId: string,
  eventId: string,
  { redis, keys }: { redis: Redis; keys: Pick<Keys, 'eventMarkers'> },
): Promise<string | null> {
  return await redis.hget(keys.eventMarkers(subjectId), markerField(eventId));
}

/** The instant, milliseconds since 1970, before which a marker may go, when markers of these stream ids are added. */
export function staleBefore(streamIds: readonly string[]): number {
  return Math.max(...streamIds.map((id) => streamIdParts(id)[0])) - markerTtlMs;
}

/**
 * For a script: sets the markers that ARGV lists from `first` on, field and stream id in turn, in the hash KEYS[`key`]. ARGV before
 * that: the markers' lifetime, `staleBefore`. It looks at twice as many as it adds, by chance, so that few old ones stay.
 */
export const setMarkersLua = (key: number, first: number) => `
for i = ${first}, #ARGV, 2 do redis.call('HSET', KEYS[${key}], ARGV[i], ARGV[i + 1]) end
local added = (#ARGV - ${first} + 1) / 2
local some = redis.call('HRANDFIELD', KEYS[${key}], -2 * (added + 1), 'WITHVALUES')
for i = 1, #some, 2 do
  local ms = tonumber(string.match(some[i + 1], '^%d+'))
  if ms and ms < tonumber(ARGV[${first - 1}]) then redis.call('HDEL', KEYS[${key}], some[i]) end
end
redis.call('PEXPIRE', KEYS[${key}], ARGV[${first - 2}])
`;
