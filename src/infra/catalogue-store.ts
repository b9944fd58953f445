/**
 * The Redis side of the catalogue and the offers: a hash of each, and a capped stream of what changed, by which every
 * process keeps a copy in memory. A write goes to the event stream first, and so into the lake: should Redis lose the
 * hashes, `refresh-features` fills them again. The later `at` wins, so that writers cannot overtake each other; what is
 * deleted stays as a tombstone, so that an older write cannot bring it back.
 */
import type { ItemId, OfferId } from '../domain/ids.ts';
import { Item } from '../domain/item.ts';
import type { CatalogueChange } from '../domain/log-entry.ts';
import { Offer } from '../domain/offer.ts';
import { type CatalogueEntry, type CatalogueKind, entriesOf, jsonOrUndefined } from './catalogue-entries.ts';
import {
  type CatalogueBatch,
  type CatalogueFollower,
  type CatalogueUpdate,
  followChanges,
} from './catalogue-follower.ts';
import { appendEntries, refuseWhileFull } from './event-log.ts';
import type { Keys } from './keys.ts';
import { namedScript } from './named-script.ts';
import type { Redis } from './redis.ts';

export type CatalogueStore = {
  /**
   * Appends to the event stream, then writes; `at`: milliseconds since 1970. An id that comes twice counts as it came
   * last. This and the three below throw AppError TOO_MANY_REQUESTS while the stream is full.
   */
  putItems: (items: readonly Item[], at: number) => Promise<void>;
  putOffers: (offers: readonly Offer[], at: number) => Promise<void>;
  /** false: there was none. */
  deleteItem: (itemId: ItemId, at: number) => Promise<boolean>;
  deleteOffer: (offerId: OfferId, at: number) => Promise<boolean>;
  getItem: (itemId: string) => Promise<Item | undefined>;
  getOffer: (offerId: string) => Promise<Offer | undefined>;
  /** Every offer, in no order. */
  listOffers: () => Promise<Offer[]>;
  /** Writes what comes out of the lake where Redis has nothing or something older. Answers how many were. */
  restore: (changes: readonly CatalogueChange[]) => Promise<number>;
  /** Where in the stream of changes a copy that is loaded from now on may begin to follow. */
  position: () => Promise<string>;
  /** Everything, in batches of some hundreds; an entry may come twice. */
  loadAll: () => AsyncGenerator<CatalogueBatch>;
  /** Follows the changes after `from` on a connection that serves nothing else and is closed by the answered function. */
  follow: (blocking: Redis, from: string, follower: CatalogueFollower) => () => Promise<void>;
};

/** Changes that are kept for followers: one that is further behind loads everything again. */
const changesKept = 100_000;
const batchSize = 500;

/** `equalToo`: '1' = equal times write too. Then id, time and JSON of each. Answers the ids that were written. */
const putScript = namedScript(
  { keys: ['entries'], args: ['equalToo'] },
  `
local written = {}
for i = firstOfRest, #ARGV, 3 do
  local known = redis.call('HGET', entries, ARGV[i])
  local knownAt = known and tonumber(string.match(known, '^(%d+):')) or -1
  local at = tonumber(ARGV[i + 1])
  if at > knownAt or (at == knownAt and equalToo == '1') then
    redis.call('HSET', entries, ARGV[i], ARGV[i + 1] .. ':' .. ARGV[i + 2])
    written[#written + 1] = ARGV[i]
  end
end
return written
`,
);

export type CatalogueStoreOptions = {
  /** Entries that may wait in the event stream before writes are refused. Absent: no bound. */
  streamMaxLength?: number;
  /** Called for an entry that cannot be parsed; it is treated as absent. */
  onUnreadable?: (kind: CatalogueKind, id: string) => void;
};

export function createCatalogueStore(
  redis: Redis,
  keys: Keys,
  options: CatalogueStoreOptions = {},
): CatalogueStore {
  const { parseItem, parseOffer, scan, readUpdate } = createReader(redis, keys, options.onUnreadable);

  async function write(
    kind: CatalogueKind,
    entries: readonly CatalogueEntry[],
    equalToo: boolean,
  ): Promise<number> {
    let total = 0;
    for (let start = 0; start < entries.length; start += batchSize) {
      const given = { entries: hashOf(keys, kind), equalToo: equalToo ? '1' : '0' };
      const some = entries
        .slice(start, start + batchSize)
        .flatMap(({ id, at, json }) => [id, String(at), json]);
      const written = ((await putScript(redis, given, some)) as Buffer[]).map(String);
      await announce(kind, written);
      total += written.length;
    }
    return total;
  }

  async function announce(kind: CatalogueKind, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const pipeline = redis.pipeline();
    for (const id of ids)
      pipeline.xadd(keys.catalogueChanges, 'MAXLEN', '~', changesKept, '*', 'kind', kind, 'id', id);
    for (const [err] of (await pipeline.exec()) ?? []) if (err !== null) throw err;
  }

  async function put(changes: readonly CatalogueChange[]): Promise<void> {
    if (options.streamMaxLength !== undefined) await refuseWhileFull(redis, keys, options.streamMaxLength);
    await appendEntries(redis, keys, changes);
    await write('item', entriesOf(changes, 'item'), true);
    await write('offer', entriesOf(changes, 'offer'), true);
  }

  async function stillThere(id: string): Promise<boolean> {
    return (await redis.xrange(keys.catalogueChanges, id, id)).length > 0;
  }

  async function position(): Promise<string> {
    const newest = await redis.xrevrange(keys.catalogueChanges, '+', '-', 'COUNT', 1);
    // Always an entry that exists: its disappearance is how a follower notices a gap.
    return newest[0]?.[0] ?? String(await redis.xadd(keys.catalogueChanges, '*', 'kind', 'begin', 'id', ''));
  }

  return {
    putItems: (items, at) => put(items.map((item) => ({ kind: 'item', item, at }))),
    putOffers: (offers, at) => put(offers.map((offer) => ({ kind: 'offer', offer, at }))),

    async deleteItem(itemId, at) {
      if (parseItem(itemId, await redis.hget(keys.items, itemId)) === undefined) return false;
      await put([{ kind: 'itemDeleted', itemId, at }]);
      return true;
    },

    async deleteOffer(offerId, at) {
      if (parseOffer(offerId, await redis.hget(keys.offers, offerId)) === undefined) return false;
      await put([{ kind: 'offerDeleted', offerId, at }]);
      return true;
    },

    getItem: async (itemId) => parseItem(itemId, await redis.hget(keys.items, itemId)),
    getOffer: async (offerId) => parseOffer(offerId, await redis.hget(keys.offers, offerId)),

    async listOffers() {
      const offers = new Map<string, Offer>();
      // A scan may answer an entry twice.
      for await (const batch of scan('offer', parseOffer))
        for (const offer of batch) offers.set(offer.offerId, offer);
      return [...offers.values()];
    },

    async restore(changes) {
      const items = await write('item', entriesOf(changes, 'item'), false);
      return items + (await write('offer', entriesOf(changes, 'offer'), false));
    },

    position,

    async *loadAll() {
      for await (const items of scan('item', parseItem)) yield { items, offers: [] };
      for await (const offers of scan('offer', parseOffer)) yield { items: [], offers };
    },

    follow: (blocking, from, follower) =>
      followChanges(blocking, from, follower, {
        changes: keys.catalogueChanges,
        stillThere,
        position,
        readUpdate,
      }),
  };
}

function hashOf(keys: Keys, kind: CatalogueKind): string {
  return kind === 'item' ? keys.items : keys.offers;
}

/** What is in the hashes, read; an entry that cannot be parsed counts as absent. */
function createReader(redis: Redis, keys: Keys, onUnreadable: CatalogueStoreOptions['onUnreadable']) {
  const parseItem = (id: string, value: string | null) =>
    parse(value, (json) => Item.safeParse(json).data, 'item', id);
  const parseOffer = (id: string, value: string | null) =>
    parse(value, (json) => Offer.safeParse(json).data, 'offer', id);

  function parse<T>(
    value: string | null,
    read: (json: unknown) => T | undefined,
    kind: CatalogueKind,
    id: string,
  ): T | undefined {
    if (value === null) return undefined;
    const json = value.slice(value.indexOf(':') + 1);
    if (json === '') return undefined;
    const parsed = read(jsonOrUndefined(json));
    if (parsed === undefined) onUnreadable?.(kind, id);
    return parsed;
  }

  async function* scan<T>(kind: CatalogueKind, parseOne: (id: string, value: string) => T | undefined) {
    let cursor = '0';
    do {
      const [next, fields] = await redis.hscan(hashOf(keys, kind), cursor, 'COUNT', batchSize);
      const found: T[] = [];
      for (let f = 0; f < fields.length; f += 2) {
        const parsed = parseOne(String(fields[f]), String(fields[f + 1]));
        if (parsed !== undefined) found.push(parsed);
      }
      if (found.length > 0) yield found;
      cursor = next;
    } while (cursor !== '0');
  }

  /** The present state of what changed: the changes name ids only, so that their order cannot matter. */
  async function readUpdate(
    changed: readonly { kind: CatalogueKind; id: string }[],
  ): Promise<CatalogueUpdate> {
    const idsOf = (kind: CatalogueKind) => [
      ...new Set(changed.filter((change) => change.kind === kind).map(({ id }) => id)),
    ];
    const [itemIds, offerIds] = [idsOf('item'), idsOf('offer')];
    const [itemValues, offerValues] = await Promise.all([
      itemIds.length > 0 ? redis.hmget(keys.items, ...itemIds) : [],
      offerIds.length > 0 ? redis.hmget(keys.offers, ...offerIds) : [],
    ]);
    const update: CatalogueUpdate = { items: [], offers: [], deletedItems: [], deletedOffers: [] };
    itemIds.forEach((id, i) => {
      const item = parseItem(id, itemValues[i] ?? null);
      if (item === undefined) update.deletedItems.push(id);
      else update.items.push(item);
    });
    offerIds.forEach((id, i) => {
      const offer = parseOffer(id, offerValues[i] ?? null);
      if (offer === undefined) update.deletedOffers.push(id);
      else update.offers.push(offer);
    });
    return update;
  }

  return { parseItem, parseOffer, scan, readUpdate };
}
