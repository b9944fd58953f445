import { randomUUID } from 'node:crypto';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Item } from '../../src/domain/item.ts';
import { Offer } from '../../src/domain/offer.ts';
import { beforeAllIds } from '../../src/domain/stream-id.ts';
import { readEntries } from '../../src/history/event-stream.ts';
import type { CatalogueUpdate } from '../../src/infra/catalogue-follower.ts';
import { createCatalogueStore } from '../../src/infra/catalogue-store.ts';
import { createKeys } from '../../src/infra/keys.ts';
import { connectRedis } from '../../src/infra/redis.ts';
import { eventually } from '../support/eventually.ts';
import { silentLog, testRedis } from '../support/redis.ts';

const { redis, prefix, url } = testRedis();

function setUp() {
  const keys = createKeys(`${prefix}-${randomUUID()}`);
  return { keys, store: createCatalogueStore(redis, keys) };
}

const item = (itemId: string, name = '') => Item.parse({ itemId, name });
const offer = (offerId: string) =>
  Offer.parse({ offerId, name: 'Ten off', benefit: { kind: 'percentOff', percent: 10 }, channels: ['web'] });

describe('writing', () => {
  test('an item is in the event stream and in the hash; deleted, it is gone from the hash', async () => {
    const { keys, store } = setUp();
    const tea = item('tea', 'Tea');
    await store.putItems([tea], 1000);
    expect(await store.getItem('tea')).toEqual(tea);
    expect(await store.deleteItem(tea.itemId, 2000)).toBe(true);
    expect(await store.getItem('tea')).toBeUndefined();
    expect(await store.deleteItem(tea.itemId, 3000)).toBe(false);
    expect((await readEntries(redis, keys, beforeAllIds, 10)).map(({ entry }) => entry)).toEqual([
      { kind: 'item', item: tea, at: 1000 },
      { kind: 'itemDeleted', itemId: 'tea', at: 2000 },
    ]);
  });

  test('an offer likewise', async () => {
    const { store } = setUp();
    await store.putOffers([offer('o1')], 1000);
    expect(await store.getOffer('o1')).toEqual(offer('o1'));
    expect(await store.deleteOffer(offer('o1').offerId, 2000)).toBe(true);
    expect(await store.getOffer('o1')).toBeUndefined();
  });

  test('what the event stream did not take is not in the hash either', async () => {
    const { keys, store } = setUp();
    await redis.set(keys.eventStream, 'not a stream');
    await expect(store.putItems([item('tea')], 1000)).rejects.toThrow();
    expect(await store.getItem('tea')).toBeUndefined();
  });

  test('the later write wins, in whichever order they arrive; at the same time the last one', async () => {
    const { store } = setUp();
    await store.putItems([item('tea', 'new')], 2000);
    await store.putItems([item('tea', 'old')], 1000);
    expect((await store.getItem('tea'))?.name).toBe('new');
    await store.putItems([item('tea', 'same time'), item('tea', 'and later in the list')], 2000);
    expect((await store.getItem('tea'))?.name).toBe('and later in the list');
  });

  test('an entry that cannot be parsed is absent, and told', async () => {
    const { keys } = setUp();
    const onUnreadable = vi.fn();
    const store = createCatalogueStore(redis, keys, { onUnreadable });
    await redis.hset(keys.items, 'torn', '1000:{"itemId"', 'alien', '1000:{"itemId":7}');
    expect(await store.getItem('torn')).toBeUndefined();
    expect(await store.getItem('alien')).toBeUndefined();
    expect(onUnreadable.mock.calls).toEqual([
      ['item', 'torn'],
      ['item', 'alien'],
    ]);
  });
});

describe('restoring from the lake', () => {
  test('fills what is missing and what is older, and leaves the rest', async () => {
    const { store } = setUp();
    await store.putItems([item('old', 'Redis'), item('same', 'Redis'), item('new', 'Redis')], 1000);
    const change = (itemId: string, at: number) =>
      ({ kind: 'item', item: item(itemId, 'lake'), at }) as const;
    const changes = [change('old', 2000), change('same', 1000), change('new', 500), change('missing', 500)];
    expect(await store.restore([...changes, { kind: 'offer', offer: offer('o1'), at: 1 }])).toBe(3);
    const names = await Promise.all(
      ['old', 'same', 'new', 'missing'].map(async (id) => (await store.getItem(id))?.name),
    );
    expect(names).toEqual(['lake', 'Redis', 'Redis', 'lake']);
  });

  test('does not bring back what was deleted since', async () => {
    const { store } = setUp();
    await store.putItems([item('tea')], 1000);
    await store.deleteItem(item('tea').itemId, 2000);
    expect(await store.restore([{ kind: 'item', item: item('tea'), at: 1000 }])).toBe(0);
    expect(await store.getItem('tea')).toBeUndefined();
  });
});

test('everything is loaded, in bounded batches, without what was deleted', async () => {
  const { store } = setUp();
  await store.putItems(
    Array.from({ length: 1700 }, (_, i) => item(`item${i}`)),
    1000,
  );
  await store.putOffers([offer('o1'), offer('o2')], 1000);
  await store.deleteItem(item('item5').itemId, 2000);
  const items = new Set<string>();
  const offers = new Set<string>();
  for await (const batch of store.loadAll()) {
    expect(batch.items.length + batch.offers.length).toBeLessThanOrEqual(1000);
    for (const { itemId } of batch.items) items.add(itemId);
    for (const { offerId } of batch.offers) offers.add(offerId);
  }
  expect(items.size).toBe(1700 - 1);
  expect(items.has('item5')).toBe(false);
  expect([...offers].sort()).toEqual(['o1', 'o2']);
});

describe('following', () => {
  function follower(store: ReturnType<typeof createCatalogueStore>, from: string) {
    const blocking = connectRedis(url, 'follower', { kind: 'patient' }, silentLog);
    const updates: CatalogueUpdate[] = [];
    const onGap = vi.fn();
    const stop = store.follow(blocking, from, { onChange: (update) => void updates.push(update), onGap });
    onTestFinished(stop);
    return { updates, onGap, stop };
  }

  test('tells what changed after the position, and nothing before it', async () => {
    const { store } = setUp();
    await store.putItems([item('before')], 1000);
    const { updates, onGap } = follower(store, await store.position());
    await store.putItems([item('tea')], 2000);
    await store.putOffers([offer('o1')], 2000);
    await store.deleteItem(item('before').itemId, 3000);
    await eventually(() => {
      expect(updates.flatMap(({ items }) => items.map(({ itemId }) => itemId))).toEqual(['tea']);
      expect(updates.flatMap(({ offers }) => offers.map(({ offerId }) => offerId))).toEqual(['o1']);
      expect(updates.flatMap(({ deletedItems }) => deletedItems)).toEqual(['before']);
    });
    expect(onGap).not.toHaveBeenCalled();
  });

  test('from a catalogue that is still empty', async () => {
    const { store } = setUp();
    const { updates } = follower(store, await store.position());
    await store.putItems([item('first')], 1000);
    await eventually(() => expect(updates.flatMap(({ items }) => items)).toEqual([item('first')]));
  });

  test('notices that changes were missed, and follows on from there', async () => {
    const { keys, store } = setUp();
    await store.putItems([item('a')], 1000);
    const from = await store.position();
    // Cut off, as a cap or a Redis that begins anew would.
    await redis.del(keys.catalogueChanges);
    const { updates, onGap } = follower(store, from);
    await eventually(() => expect(onGap).toHaveBeenCalledTimes(1));
    await store.putItems([item('after')], 2000);
    await eventually(() => expect(updates.flatMap(({ items }) => items)).toEqual([item('after')]));
  });

  test('stops at once', async () => {
    const { store } = setUp();
    const { updates, stop } = follower(store, await store.position());
    await stop();
    await store.putItems([item('late')], 1000);
    expect(updates).toEqual([]);
  });
});
