/**
 * Who has been erased, and until when: what happened until then is refused, whoever tells of it again. What happens later
 * begins a new customer. Kept in Redis by hashes that name nobody; the receipts on disk say the same.
 */
import { type ErasureFiles, erasedUntil } from './erasure-files.ts';
import type { Keys } from './keys.ts';
import type { Redis } from './redis.ts';
import { callWhenFull } from './redis-script.ts';

export type Tombstones = {
  /** For each subject the instant of its erasure (milliseconds since 1970), or `neverErased`. */
  erasedAt: (subjectIds: readonly string[]) => Promise<number[]>;
  /** Where `erasedAt` finds it, for a script that looks at something else besides: the hash, and the subject's field. */
  placeOf: (subjectId: string) => { key: string; field: string };
  /** Of events, by their markers' fields: were they accepted before the erasure? */
  knewEvents: (events: readonly { subjectId: string; marker: string }[]) => Promise<boolean[]>;
  bury: (subjectIds: readonly string[], at: number) => Promise<void>;
  /** Remembers that the subject had this event, as long as its marker would have lived. */
  rememberEvent: (subjectId: string, marker: string, ttlMs: number) => Promise<void>;
  /** Puts down again what receipts tell, should Redis have lost it. */
  restore: () => Promise<void>;
};

/** Of a subject, in place of an instant: earlier than any. */
export const neverErased = -1;
const manyIds = 20;
const hashesAtOnce = 1000;

export function createTombstones(
  redis: Redis,
  keys: Pick<Keys, 'erasedSubjects' | 'erasedEvent'>,
  files: Pick<ErasureFiles, 'hash' | 'receipts' | 'pending'>,
): Tombstones {
  const buryHashes = async (hashes: readonly string[], at: number) => {
    const known = hashes.length === 0 ? [] : await redis.hmget(keys.erasedSubjects, ...hashes);
    const later = hashes.filter((_, h) => Number(known[h] ?? neverErased) < at);
    // An erasure begins with it, and makes room: a full Redis takes it.
    for (let start = 0; start < later.length; start += hashesAtOnce) {
      const some = later.slice(start, start + hashesAtOnce);
      await callWhenFull(redis, 'HSET', keys.erasedSubjects, ...some.flatMap((hash) => [hash, at]));
    }
  };
  return {
    async erasedAt(subjectIds) {
      if (subjectIds.length === 0) return [];
      // To hash many ids takes longer than to ask whether there is anybody to look for.
      if (subjectIds.length >= manyIds && (await redis.exists(keys.erasedSubjects)) === 0)
        return subjectIds.map(() => neverErased);
      const values = await redis.hmget(keys.erasedSubjects, ...subjectIds.map((id) => files.hash(id)));
      return values.map((value) => (value === null ? neverErased : Number(value)));
    },
    placeOf: (subjectId) => ({ key: keys.erasedSubjects, field: files.hash(subjectId) }),
    async knewEvents(events) {
      return Promise.all(
        events.map(
          async ({ subjectId, marker }) =>
            (await redis.exists(keys.erasedEvent(files.hash(subjectId, marker)))) === 1,
        ),
      );
    },
    bury: (subjectIds, at) =>
      buryHashes(
        subjectIds.map((id) => files.hash(id)),
        at,
      ),
    rememberEvent: async (subjectId, marker, ttlMs) => {
      if (ttlMs > 0) await redis.set(keys.erasedEvent(files.hash(subjectId, marker)), '1', 'PX', ttlMs);
    },
    async restore() {
      const byInstant = new Map<number, string[]>();
      for (const [hash, at] of await erasedUntil(files)) {
        const hashes = byInstant.get(at) ?? [];
        if (hashes.length === 0) byInstant.set(at, hashes);
        hashes.push(hash);
      }
      for (const [at, hashes] of byInstant) await buryHashes(hashes, at);
    },
  };
}
