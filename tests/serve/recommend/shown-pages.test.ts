/** Pages that a process has shown are shown again, and only as long as they are what it would say anew. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { keysMatching, testRedis } from '../../support/redis.ts';
import { startTestService, type TestService } from '../../support/service.ts';
import { newItem, publishShopModel } from '../../support/shop-models.ts';

const { redis, url: redisUrl, prefix } = testRedis();
let service: TestService;
let other: TestService;

beforeAll(async () => {
  service = await startTestService({ redisUrl, prefix });
  other = await startTestService({ redisUrl, prefix });
});
afterAll(async () => {
  await service.close();
  await other.close();
});

const buy = (by: TestService, customerId: string, itemId: string) =>
  by.call('POST', '/events', {
    type: 'purchase',
    customerId,
    lines: [{ itemId, quantity: 1, unitPriceMinor: 500 }],
  });

async function ask(query: string, of = service) {
  const { body } = await of.call('GET', `/recommendations?${query}`);
  const { recommendationId, tookMs: _tookMs, ...page } = body;
  return { recommendationId, page };
}

const idsOf = ({ page }: { page: { items: { itemId: string }[] } }) => page.items.map(({ itemId }) => itemId);

/** How many answers this process has taken from what it had shown. */
async function shownAgain(): Promise<number> {
  const { text } = await service.call('GET', '/metrics');
  return Number(/nextbest_serve_pages_total\{from="shown"\} (\d+)/.exec(text)?.[1] ?? 0);
}

test.each([
  ['a customer', 'customerId=anna&n=5&explain=true&exclude=tea-3'],
  ['a customer and a visit', 'customerId=anna&sessionId=visit-1&n=4'],
  ['somebody unknown, in a product', 'customerId=nobody&itemId=tea-1&scenario=product'],
  ['nobody', 'n=3'],
])('the second answer to %s is the first, under an id of its own', async (_name, query) => {
  await buy(service, 'anna', 'coffee-0');
  // A page may have to be made anew between the two: its window of time ends, or the factors of new items have just come.
  // Between the two it may have to be made anew: its window of time ends, or the factors of new items have just come.
  await eventually(async () => {
    const first = await ask(query);
    const before = await shownAgain();
    const second = await ask(query);
    expect(await shownAgain()).toBe(before + 1);
    expect(second.page).toEqual(first.page);
    expect(second.recommendationId).not.toBe(first.recommendationId);
    // It is what a process would say that has never been asked.
    expect({ ...(await ask(query, other)).page, modelVersion: '' }).toEqual({
      ...first.page,
      modelVersion: '',
    });
  });
});

test('an event that another process takes counts with the next answer', async () => {
  await buy(service, 'bert', 'tea-0');
  const query = 'customerId=bert&n=6';
  let last = await ask(query);
  for (const itemId of ['coffee-0', 'coffee-1', 'coffee-2', 'coffee-3']) {
    expect(idsOf(await ask(query))).toEqual(idsOf(last));
    await buy(other, 'bert', itemId);
    const next = await ask(query);
    expect(next.page).not.toEqual(last.page);
    expect(idsOf(next)).not.toContain(itemId);
    last = next;
  }
});

test("a visit's first event counts, and a customer's who was unknown", async () => {
  const query = 'customerId=carl&sessionId=visit-2&n=6&explain=true';
  const unknown = await ask(query);
  const lines = [{ itemId: 'tea-0' }];
  await other.call('POST', '/events', { type: 'view', sessionId: 'visit-2', lines });
  const guest = await ask(query);
  expect(guest.page).not.toEqual(unknown.page);
  await buy(other, 'carl', 'coffee-0');
  expect((await ask(query)).page).not.toEqual(guest.page);
});

test('a record that is gone is nobody', async () => {
  await buy(service, 'dora', 'tea-0');
  const query = 'customerId=dora&n=6';
  const before = await ask(query);
  await ask(query);
  for (const key of await keysMatching(redis, `${prefix}:{c:dora}:*`)) await redis.del(key);
  expect((await ask(query)).page).not.toEqual(before.page);
});

test('what the catalogue says of its items counts: their names, their stock', async () => {
  await buy(service, 'emil', 'coffee-0');
  const query = 'customerId=emil&n=4';
  const before = await ask(query);
  const [first, second] = idsOf(before);
  const item = (await service.call('GET', `/items/${first}`)).body;
  await service.call('PUT', `/items/${first}`, { ...item, name: 'Renamed' });
  await eventually(async () => expect((await ask(query)).page.items[0].name).toBe('Renamed'));
  await service.call('PUT', `/items/${first}`, item);
  const another = (await service.call('GET', `/items/${second}`)).body;
  await service.call('PUT', `/items/${second}`, { ...another, inStock: false });
  await eventually(async () => expect(idsOf(await ask(query))).not.toContain(second));
  await service.call('PUT', `/items/${second}`, another);
  await eventually(async () => expect((await ask(query)).page).toEqual(before.page));
});

test('a change that does not concern it leaves it as it is', async () => {
  await buy(service, 'fred', 'coffee-0');
  const query = 'customerId=fred&n=2';
  await ask(query);
  await service.call('PUT', `/items/${newItem.itemId}`, { ...newItem, priceMinor: 990 });
  await eventually(async () =>
    expect((await service.call('GET', `/items/${newItem.itemId}`)).body.priceMinor).toBe(990),
  );
  const before = await shownAgain();
  await eventually(async () => {
    await ask(query);
    expect(await shownAgain()).toBeGreaterThan(before);
  });
});

test('another model says something of its own', async () => {
  const query = 'customerId=anna&n=5';
  await ask(query);
  const { version } = await publishShopModel(service.modelsDir);
  await eventually(async () => expect((await ask(query)).page.modelVersion).toBe(version));
});
