/** The catalogue. */
import { z } from 'zod';
import { AppError } from '../../domain/errors.ts';
import { ItemId } from '../../domain/ids.ts';
import { Item } from '../../domain/item.ts';
import type { Deps } from '../deps.ts';
import { idMismatch } from '../faults.ts';
import { ItemWarnings, itemWarnings } from '../item-warnings.ts';
import { defineRoute, JSON_TYPE, NDJSON_TYPE } from '../route.ts';

/** In one request; a larger catalogue comes in several. */
const itemsMax = 5000;

const params = z.strictObject({ itemId: ItemId });
const ItemAnswer = Item.meta({ id: 'Item' });
const SavedItem = Item.extend({ warnings: ItemWarnings.optional() }).meta({ id: 'SavedItem' });
const ItemBody = Item.extend({
  itemId: ItemId.optional().meta({ description: 'May be left out; else the one of the path' }),
}).meta({ id: 'ItemFields' });

const tags = ['catalogue'] as const;

export const itemRoutes = [
  defineRoute({
    method: 'POST',
    path: '/items',
    scope: 'manage',
    summary: `Adds or replaces up to ${itemsMax} items`,
    description:
      'A JSON array, or NDJSON with one item a line. All or nothing: where one item is not valid, none is taken and every ' +
      'fault is named with its index. An item that comes twice counts as it came last. `warnings` name what is taken and may be a slip: ' +
      'a margin above its price, a category that differs from another by case or spaces alone.',
    tags,
    body: z.array(ItemAnswer).min(1).max(itemsMax),
    bodyTypes: [JSON_TYPE, NDJSON_TYPE],
    responses: { 200: z.object({ items: z.int(), warnings: ItemWarnings.optional() }) },
    problems: [413, 415, 429, 503],
    handler: async ({ body }, deps) => {
      const latest = new Map(body.map((item) => [item.itemId, item]));
      await deps.catalogueStore.putItems([...latest.values()], deps.now());
      return { status: 200, body: { items: latest.size, ...warned([...latest.values()], deps) } };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/items/{itemId}',
    scope: 'read',
    summary: 'One item',
    tags,
    params,
    responses: { 200: ItemAnswer },
    problems: [404, 503],
    handler: async ({ params: { itemId } }, deps) => {
      // From the store rather than from this process's copy: whoever has just written sees what was written.
      const item = await deps.catalogueStore.getItem(itemId);
      if (item === undefined) throw noSuchItem();
      return { status: 200, body: item };
    },
  }),
  defineRoute({
    method: 'PUT',
    path: '/items/{itemId}',
    scope: 'manage',
    summary: 'Adds or replaces an item',
    tags,
    params,
    body: ItemBody,
    responses: { 200: SavedItem },
    problems: [413, 415, 429, 503],
    check: ({ params, body }) => idMismatch('itemId', params, body),
    handler: async ({ params: { itemId }, body }, deps) => {
      const item: Item = { ...body, itemId };
      await deps.catalogueStore.putItems([item], deps.now());
      return { status: 200, body: { ...item, ...warned([item], deps) } };
    },
  }),
  defineRoute({
    method: 'DELETE',
    path: '/items/{itemId}',
    scope: 'manage',
    summary: 'Takes an item out of the catalogue',
    description:
      'Its history stays. An item that is no longer sold but still talked about is better put with `discontinued: true`.',
    tags,
    params,
    responses: { 204: null },
    problems: [404, 429, 503],
    handler: async ({ params: { itemId } }, deps) => {
      if (!(await deps.catalogueStore.deleteItem(itemId, deps.now()))) throw noSuchItem();
      return { status: 204, body: undefined };
    },
  }),
];

function warned(items: readonly Item[], { catalogue, now }: Pick<Deps, 'catalogue' | 'now'>) {
  const warnings = itemWarnings(items, catalogue, now());
  return warnings.length === 0 ? {} : { warnings };
}

function noSuchItem(): AppError {
  return new AppError('NOT_FOUND', { public: 'There is no such item.' });
}
