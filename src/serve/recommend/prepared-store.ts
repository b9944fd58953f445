/**
 * Prepared pages in Redis, beside the records that they were made of. A page counts as long as the record's stamp is the one
 * that it was made under and the model is the same, at most `preparedMs`: what is due changes with the days.
 */
import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import type { CustomerRecord } from '../../features/record.ts';
import { stampBytes } from '../../features/record-codec.ts';
import type { RecordBeside, RecordStore } from '../../features/record-store.ts';
import type { Keys } from '../../infra/keys.ts';
import type { Redis } from '../../infra/redis.ts';
import type { Models } from '../../scoring/served.ts';
import { decodePage, encodePage, PREPARED_LAYOUT, type PreparedPage } from './prepared-page.ts';
import type { PageRequest } from './recommender.ts';
import type { Scenario } from './scenarios.ts';

export type FoundPage = {
  /** Of the record; undefined: there is no such customer. */
  stamp: string | undefined;
  record: () => CustomerRecord | undefined;
  /** undefined: none has been kept, or the record or the model is another by now. */
  page: PreparedPage | undefined;
  /** Keeps a page that has been made of this record; does not wait for it. */
  keep: (page: PreparedPage) => void;
};

export type PreparedStore = {
  /** One round trip. Rejects when Redis is away. */
  find: (subjectId: string, request: PageRequest) => Promise<FoundPage>;
  /** Where the record alone has been read: no page. */
  beside: (subjectId: string, request: PageRequest, read: RecordBeside) => FoundPage;
};

export const preparedMs = 6 * 3_600_000;

export function createPreparedStore(
  redis: Redis,
  keys: Keys,
  records: Pick<RecordStore, 'readBeside'>,
  models: Pick<Models, 'collaborative'>,
): PreparedStore {
  type Place = { key: string; served: Models['collaborative'] };
  const placeOf = (subjectId: string, request: PageRequest): Place => {
    const served = models.collaborative;
    return { key: keys.preparedPage(subjectId, slotOf(request, served?.version ?? 'none')), served };
  };

  function foundIn({ key, served }: Place, { stamp, record, beside }: RecordBeside): FoundPage {
    const isCurrent = stamp !== undefined && beside?.subarray(0, stampBytes).equals(stamp) === true;
    const page =
      isCurrent && served !== undefined ? decodePage(beside, stampBytes, served.model.itemIds) : undefined;
    return {
      stamp: stamp?.toString('latin1'),
      record,
      page,
      keep: (made) => {
        // Of a model that has taken the other's place since, it would be kept under the wrong name.
        if (stamp === undefined || served === undefined || served !== models.collaborative) return;
        const bytes = Buffer.concat([stamp, encodePage(made, served.model.itemIndex)]);
        // What is not kept is made again.
        redis.set(key, bytes, 'PX', preparedMs).catch(() => {});
      },
    };
  }

  return {
    find: async (subjectId, request) => {
      const place = placeOf(subjectId, request);
      return foundIn(place, await records.readBeside(subjectId, place.key));
    },
    beside: (subjectId, request, read) => foundIn(placeOf(subjectId, request), read),
  };
}

/** Only pages about nothing but the customer are worth keeping. */
export function isKept({ itemIds, category }: PageRequest): boolean {
  return itemIds.length === 0 && category === undefined;
}

/** By what a scenario says, not by its name: another process may have another file. */
const slots = new WeakMap<Scenario, string>();

function slotOf({ scenario, n }: PageRequest, modelVersion: string): string {
  let slot = slots.get(scenario);
  if (slot === undefined) {
    const text = inspect(scenario, { depth: null, maxArrayLength: null, maxStringLength: null });
    slot = createHash('sha256').update(text).digest('base64url').slice(0, 8);
    slots.set(scenario, slot);
  }
  return `${PREPARED_LAYOUT}:${modelVersion}:${slot}:${n}`;
}
