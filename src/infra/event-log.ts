/** The writing side of the event stream: what is in it is accepted, and reaches the lake; until then, the writer can look at it. */
import { AppError } from '../domain/errors.ts';
import type { LogEntry } from '../domain/log-entry.ts';
import type { Keys } from './keys.ts';
import type { Redis } from './redis.ts';

/** Field of a stream entry that holds the log entry, as JSON. */
export const logField = 'e';

const retryAfterSeconds = 5;

/**
 * Throws AppError TOO_MANY_REQUESTS while `maxLength` entries or more wait for the lake. Asked before anything is written, so that
 * what is refused has left nothing behind.
 */
export async function refuseWhileFull(redis: Redis, keys: Keys, maxLength: number): Promise<void> {
  const length = await redis.xlen(keys.eventStream);
  if (length >= maxLength) throw streamIsFull(length);
}

export function streamIsFull(length: number): AppError {
  return new AppError('TOO_MANY_REQUESTS', {
    public: 'Too much waits to be stored.',
    internal: `the event stream holds ${length} entries: is a worker draining it?`,
    retryAfterSeconds,
  });
}

/**
 * Appends entries in one round trip, all or none, and answers their stream ids. Rejects when Redis refuses or cannot be
 * reached; when the connection breaks while the answer is under way, the entries may be in the stream all the same.
 */
export async function appendEntries(
  redis: Redis,
  keys: Keys,
  entries: readonly LogEntry[],
): Promise<string[]> {
  if (entries.length === 0) return [];
  const transaction = redis.multi();
  for (const entry of entries) transaction.xadd(keys.eventStream, '*', logField, JSON.stringify(entry));
  const replies = await transaction.exec();
  if (replies === null) throw new Error('the event stream refused the transaction');
  return replies.map(([err, id]) => {
    if (err !== null) throw err;
    return String(id);
  });
}

/** The entry of that stream id; undefined: the drain has taken it, or it cannot be read here. */
export async function readEntry(redis: Redis, keys: Keys, id: string): Promise<LogEntry | undefined> {
  const [row] = await redis.xrange(keys.eventStream, id, id);
  const fields = row?.[1] ?? [];
  const text = fields[fields.indexOf(logField) + 1];
  try {
    return fields.includes(logField) ? (JSON.parse(text ?? '') as LogEntry) : undefined;
  } catch {
    return undefined;
  }
}
