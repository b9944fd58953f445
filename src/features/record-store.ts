/**
 * Customer records in Redis: how they are read; how events are folded into them (`apply-events.ts`); and how the lake takes their place
 * (`covered-records.ts`).
 *
 * The record says through which id of the event stream it has been brought (`appliedThrough`). A record that was rebuilt
 * from the lake may take its place only if the lake holds everything that it reflects: that rule is `replaceCovered`. By the same
 * rule the record of a customer who has long been silent is let go. One who comes back begins a record that lacks all that was before,
 * consent among it, and is put down for a rebuild.
 */
import { deleteIf } from '../infra/delete-if.ts';
import type { Keys } from '../infra/keys.ts';
import type { Redis } from '../infra/redis.ts';
import { createReadBatch } from '../infra/redis-read-batch.ts';
import { getMany } from '../infra/redis-together.ts';
import { createEventFolding, type EventFolding } from './apply-events.ts';
import { type CoveredRecords, createCoveredRecords } from './covered-records.ts';
import { isGone } from './gone-customers.ts';
import { putDownForRebuild } from './put-down-for-rebuild.ts';
import type { CustomerRecord } from './record.ts';
import { type DecodedRecord, decodeRecord, stampOf } from './record-codec.ts';
import { RECORD_SCHEMA } from './registry.ts';
import { isGuest } from './subject.ts';

export type RecordStore = EventFolding &
  CoveredRecords & {
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
    if (!isGuest(subjectId)) await putDownForRebuild(redis, keys, [subjectId]);
    await deleteIf(redis, recordKey(subjectId), damaged);
  }

  /** The answer does not wait for it; where it fails, the next reader tries again. */
  const askedFor = (subjectId: string, bytes: Buffer | null): CustomerRecord | undefined => {
    if (bytes === null && options.bringBack === true) bringBack(subjectId).catch(() => {});
    return readable(subjectId, bytes);
  };

  async function bringBack(subjectId: string): Promise<void> {
    if (await hasLeft(subjectId)) await putDownForRebuild(redis, keys, [subjectId]);
  }

  async function hasLeft(subjectId: string): Promise<boolean> {
    return !isGuest(subjectId) && (await isGone(subjectId, { redis, keys }));
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

    ...createEventFolding(redis, keys, { recordKey, decoded, hasLeft }),
    ...createCoveredRecords(redis, keys),
  };
}
