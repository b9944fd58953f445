/** The writing side of the event stream: what is in it is accepted, and reaches the lake. */
import type { LogEntry } from '../domain/log-entry.ts';
import type { Keys } from './keys.ts';
import type { Redis } from './redis.ts';

/** Field of a stream entry that holds the log entry, as JSON. */
export const logField = 'e';

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
