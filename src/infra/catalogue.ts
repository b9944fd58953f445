/** This process's copy of catalogue and offers: loaded from Redis, then kept up by the stream of changes. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Item } from '../domain/item.ts';
import type { Offer } from '../domain/offer.ts';
import { createCatalogueStore } from './catalogue-store.ts';
import type { Keys } from './keys.ts';
import type { Logger } from './logger.ts';
import { createRecentChanges } from './recent-changes.ts';
import type { Redis } from './redis.ts';

/** This process's copy of the catalogue and the offers. */
export type Catalogue = {
  /** false: it could not be read from Redis since this process started. */
  readonly loaded: boolean;
  /** By item id. */
  readonly items: ReadonlyMap<string, Item>;
  /** By offer id. */
  readonly offers: ReadonlyMap<string, Offer>;
  /** Rises with every change. */
  readonly revision: number;
};

export type FollowedCatalogue = Catalogue & {
  /** Ids of the items that changed after this revision, the same one more than once perhaps. undefined: any may have. */
  changedSince: (revision: number) => string[] | undefined;
  /** Resolves once it is loaded, however long Redis is away; follows from then on. */
  start: () => Promise<void>;
  stop: () => Promise<void>;
};

export type CatalogueOptions = {
  /** Patient clients that serve nothing else; `stop` closes them. */
  reader: Redis;
  blocking: Redis;
  keys: Keys;
  log: Logger;
};

const retryMs = 500;
/** Items whose last changes are remembered: of a burst of them, what is made of the catalogue is made anew at once. */
const changesMax = 20_000;

export function createCatalogue({ reader, blocking, keys, log }: CatalogueOptions): FollowedCatalogue {
  const store = createCatalogueStore(reader, keys, {
    onUnreadable: (kind, id) =>
      log.warn({ event: 'catalogue.unreadable', kind, id }, 'an entry of the catalogue could not be read'),
  });
  let items = new Map<string, Item>();
  let offers = new Map<string, Offer>();
  let revision = 0;
  const changes = createRecentChanges(changesMax);
  let loaded = false;
  let stopped = false;
  let stopFollowing = async () => {};

  async function load(): Promise<void> {
    const nextItems = new Map<string, Item>();
    const nextOffers = new Map<string, Offer>();
    for await (const batch of store.loadAll()) {
      for (const item of batch.items) nextItems.set(item.itemId, item);
      for (const offer of batch.offers) nextOffers.set(offer.offerId, offer);
    }
    // In one step: no request sees half a catalogue.
    items = nextItems;
    offers = nextOffers;
    loaded = true;
    revision++;
    changes.forget(revision);
    log.info({ event: 'catalogue.loaded', items: items.size, offers: offers.size }, 'catalogue loaded');
  }

  async function untilDone<T>(work: () => Promise<T>): Promise<T | undefined> {
    while (!stopped) {
      try {
        return await work();
      } catch (err) {
        // A client that is being closed fails its last command.
        if (stopped) break;
        log.warn({ event: 'catalogue.unavailable', reason: String(err) }, 'the catalogue could not be read');
        await sleep(retryMs);
      }
    }
    return undefined;
  }

  return {
    get loaded() {
      return loaded;
    },
    get items() {
      return items;
    },
    get offers() {
      return offers;
    },
    get revision() {
      return revision;
    },
    changedSince: changes.since,
    start: async () => {
      const from = await untilDone(async () => {
        // Before the load, so that what changes during it is followed too.
        const position = await store.position();
        await load();
        return position;
      });
      if (from === undefined) return;
      stopFollowing = store.follow(blocking, from, {
        onChange: (update) => {
          for (const item of update.items) items.set(item.itemId, item);
          for (const offer of update.offers) offers.set(offer.offerId, offer);
          for (const id of update.deletedItems) items.delete(id);
          for (const id of update.deletedOffers) offers.delete(id);
          revision++;
          changes.add(revision, [...update.items.map(({ itemId }) => itemId), ...update.deletedItems]);
        },
        onGap: () => untilDone(load),
        onError: (err) =>
          log.warn({ event: 'catalogue.unavailable', reason: String(err) }, 'changes could not be read'),
      });
    },
    stop: async () => {
      stopped = true;
      // A patient client would wait for a server that never comes back.
      reader.disconnect();
      blocking.disconnect();
      await stopFollowing();
    },
  };
}
