/** The catalogue and the offers as the lake last saw them. */
import type { ItemId, OfferId } from '../domain/ids.ts';
import { Item } from '../domain/item.ts';
import type { CatalogueChange } from '../domain/log-entry.ts';
import { Offer } from '../domain/offer.ts';
import { type Lake, queryChunks } from './lake.ts';

/** The latest change of every item, a deletion included, in batches in the order of ids. What cannot be parsed is left out. */
export async function* latestItems(lake: Lake): AsyncGenerator<CatalogueChange[]> {
  for await (const rows of latest(lake, 'items', 'itemId')) {
    yield rows.flatMap(({ id, at, json }): CatalogueChange[] => {
      if (json === null) return [{ kind: 'itemDeleted', itemId: id as ItemId, at }];
      const item = Item.safeParse(JSON.parse(json)).data;
      return item === undefined ? [] : [{ kind: 'item', item, at }];
    });
  }
}

/** Likewise of every offer. */
export async function* latestOffers(lake: Lake): AsyncGenerator<CatalogueChange[]> {
  for await (const rows of latest(lake, 'offers', 'offerId')) {
    yield rows.flatMap(({ id, at, json }): CatalogueChange[] => {
      if (json === null) return [{ kind: 'offerDeleted', offerId: id as OfferId, at }];
      const offer = Offer.safeParse(JSON.parse(json)).data;
      return offer === undefined ? [] : [{ kind: 'offer', offer, at }];
    });
  }
}

/**
 * All that offers ever were, a deletion as undefined: each offer's changes together, in the order of time (`at`, milliseconds
 * since 1970). Saved again as it was is no change. What cannot be parsed is left out.
 */
export async function* offerChanges(
  lake: Lake,
): AsyncGenerator<{ offerId: OfferId; at: number; offer: Offer | undefined }[]> {
  const connection = await lake.connect();
  try {
    // Of the same instant the last counts, as with `latest`.
    const order = '"updatedAt", json NULLS LAST';
    const query = `SELECT "offerId", epoch_ms("updatedAt"), json FROM ${lake.from('offers')}
       QUALIFY json IS DISTINCT FROM lag(json) OVER (PARTITION BY "offerId" ORDER BY ${order})
       ORDER BY "offerId", ${order}`;
    for await (const chunk of queryChunks(connection, query))
      yield (chunk.getRows() as [OfferId, bigint, string | null][]).flatMap(([offerId, at, json]) => {
        const offer = json === null ? undefined : Offer.safeParse(JSON.parse(json)).data;
        return json !== null && offer === undefined ? [] : [{ offerId, at: Number(at), offer }];
      });
  } finally {
    connection.closeSync();
  }
}

/**
 * Every change of every offer that is not a deletion, in batches; the same content may come again. What cannot be parsed is
 * left out.
 */
export async function* savedOffers(lake: Lake): AsyncGenerator<{ offer: Offer; at: number }[]> {
  const connection = await lake.connect();
  try {
    const query = `SELECT json, epoch_ms(min("updatedAt")) FROM ${lake.from('offers')} WHERE json IS NOT NULL GROUP BY json`;
    for await (const chunk of queryChunks(connection, query)) {
      yield (chunk.getRows() as [string, bigint][]).flatMap(([json, at]) => {
        const offer = Offer.safeParse(JSON.parse(json)).data;
        return offer === undefined ? [] : [{ offer, at: Number(at) }];
      });
    }
  } finally {
    connection.closeSync();
  }
}

type Row = { id: string; at: number; json: string | null };

async function* latest(lake: Lake, table: 'items' | 'offers', idColumn: string): AsyncGenerator<Row[]> {
  const connection = await lake.connect();
  try {
    // At the same instant a deletion counts, then the greater text: any rule, but always the same.
    const query = `SELECT "${idColumn}", epoch_ms("updatedAt"), json FROM ${lake.from(table)}
       QUALIFY row_number() OVER (PARTITION BY "${idColumn}" ORDER BY "updatedAt" DESC, json DESC NULLS FIRST) = 1
       ORDER BY "${idColumn}"`;
    for await (const chunk of queryChunks(connection, query)) {
      yield (chunk.getRows() as [string, bigint, string | null][]).map(([id, at, json]) => ({
        id,
        at: Number(at),
        json,
      }));
    }
  } finally {
    connection.closeSync();
  }
}
