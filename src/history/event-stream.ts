/** The reading side of the event stream (`infra/event-log.ts` writes it). */
import { EventInput, type ShopEvent } from '../domain/event.ts';
import type { LogEntry } from '../domain/log-entry.ts';
import { streamIdParts } from '../domain/stream-id.ts';
import { subjectOf } from '../features/subject.ts';
import { logField } from '../infra/event-log.ts';
import type { Keys } from '../infra/keys.ts';
import type { Redis } from '../infra/redis.ts';

/** An entry with its stream id; `entry` is undefined when it cannot be read here (`text` is what it holds). */
export type StreamEntry = { id: string; entry: LogEntry | undefined; text: string };

/** The first `count` entries after the id `after`. */
export async function readEntries(
  redis: Redis,
  keys: Keys,
  after: string,
  count: number,
): Promise<StreamEntry[]> {
  const rows = await redis.xrange(keys.eventStream, `(${after}`, '+', 'COUNT', count);
  return rows.map(([id, fields]) => {
    const at = fields.indexOf(logField);
    const text = at === -1 ? JSON.stringify(fields) : (fields[at + 1] ?? '');
    return { id, entry: parseEntry(text), text };
  });
}

const kinds: ReadonlySet<string> = new Set<LogEntry['kind']>([
  'event',
  'item',
  'itemDeleted',
  'offer',
  'offerDeleted',
  'decision',
  'merge',
]);

/**
 * Only this service writes the stream, after zod. Still, one entry that cannot be applied (of a later version, or written by
 * hand) would hold up all that come after it: events are checked once more.
 */
function parseEntry(text: string): LogEntry | undefined {
  try {
    const entry = JSON.parse(text) as LogEntry;
    if (!kinds.has(entry.kind)) return undefined;
    return entry.kind !== 'event' || isSettled(entry.event) ? entry : undefined;
  } catch {
    return undefined;
  }
}

function isSettled(event: ShopEvent): boolean {
  const { success, data } = EventInput.safeParse(event);
  return success && data.eventId !== undefined && typeof event.occurredAt === 'number';
}

/** Whose the entry is; undefined: nobody's, or it cannot be read. */
export function subjectOfEntry({ entry }: Pick<StreamEntry, 'entry'>): string | undefined {
  if (entry?.kind === 'event') return subjectOf(entry.event);
  if (entry?.kind === 'merge') return entry.customerId;
  if (entry?.kind !== 'decision') return undefined;
  const { customerId, sessionId } = entry.decision;
  return customerId === undefined && sessionId === undefined
    ? undefined
    : subjectOf({ customerId, sessionId });
}

/**
 * Does an erasure at `until` (milliseconds since 1970) concern this entry of the erased? By its own time, or by when it came.
 */
export function isErasedEntry({ id, entry }: Pick<StreamEntry, 'id' | 'entry'>, until: number): boolean {
  if (streamIdParts(id)[0] <= until) return true;
  if (entry?.kind === 'event') return entry.event.occurredAt <= until;
  if (entry?.kind === 'merge') return entry.at <= until;
  return entry?.kind === 'decision' && Date.parse(entry.decision.decidedAt) <= until;
}

export type StreamLag = { length: number; oldestAgeMs: number };

/** Entries that wait for the lake, and how long the oldest has waited. */
export async function streamLag(redis: Redis, keys: Keys, now: number): Promise<StreamLag> {
  const [length, oldest] = await Promise.all([
    redis.xlen(keys.eventStream),
    redis.xrange(keys.eventStream, '-', '+', 'COUNT', 1),
  ]);
  const id = oldest[0]?.[0];
  return { length, oldestAgeMs: id === undefined ? 0 : Math.max(0, now - streamIdParts(id)[0]) };
}
