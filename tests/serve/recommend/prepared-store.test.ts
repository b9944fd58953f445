/** Pages that are kept beside the records, through the service: what is kept says what would be said anew. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stampBytes } from '../../../src/features/record-codec.ts';
import { eventually } from '../../support/eventually.ts';
import { keysMatching, testRedis } from '../../support/redis.ts';
import { startTestService, type TestService } from '../../support/service.ts';
import { publishShopModel } from '../../support/shop-models.ts';

const { redis, url: redisUrl, prefix } = testRedis();
let service: TestService;

beforeAll(async () => {
  service = await startTestService({ redisUrl, prefix });
  await buy('anna', 'coffee-0');
});
afterAll(() => service.close());

const buy = (customerId: string, itemId: string) =>
  service.call('POST', '/events', {
    type: 'purchase',
    customerId,
    lines: [{ itemId, quantity: 1, unitPriceMinor: 500 }],
  });

async function ask(query: string) {
  const { body } = await service.call('GET', `/recommendations?explain=true&${query}`);
  const { items, modelVersion, degraded } = body;
  return { items, modelVersion, degraded };
}

/** The same question in other words: this process has not answered it, so that it looks at what is kept in Redis. */
const askAnew = (query: string) => ask(query.split('&').reverse().join('&'));

const pagesOf = (customerId: string) => keysMatching(redis, `${prefix}:{c:${customerId}}:page:*`);

test('a page is kept after the first answer, and the next answer is the same', async () => {
  const first = await ask('customerId=anna&n=6');
  const [key] = await eventually(async () => {
    const keys = await pagesOf('anna');
    expect(keys).toHaveLength(1);
    return keys;
  });
  expect(await redis.pttl(String(key))).toBeGreaterThan(0);
  expect(await askAnew('customerId=anna&n=6')).toEqual(first);
});

test('it is what the next answer comes from: one that another process kept counts', async () => {
  const before = await ask('customerId=anna&n=16');
  const key = await eventually(async () => {
    const keys = (await pagesOf('anna')).filter((one) => one.endsWith(':16'));
    expect(keys).toHaveLength(1);
    return keys[0];
  });
  await buy('bert', 'tea-0');
  const ofBert = await ask('customerId=bert&n=16');
  expect(ofBert).not.toEqual(before);
  const [keyOfBert] = await eventually(async () => {
    const keys = await pagesOf('bert');
    expect(keys).toHaveLength(1);
    return keys;
  });
  // Bert's page under Anna's stamp: nothing in the answer could tell.
  const stamp = (await redis.getBuffer(String(key)))?.subarray(0, stampBytes);
  const page = (await redis.getBuffer(String(keyOfBert)))?.subarray(stampBytes);
  await redis.set(String(key), Buffer.concat([stamp ?? Buffer.alloc(0), page ?? Buffer.alloc(0)]));
  const shown = await askAnew('customerId=anna&n=16');
  const ids = ({ items }: { items: { itemId: string }[] }) => items.map(({ itemId }) => itemId);
  // Anna has bought it: her own page never has it.
  expect(ids(ofBert)).toContain('coffee-0');
  expect(ids(before)).not.toContain('coffee-0');
  expect(ids(shown)).toContain('coffee-0');
  await redis.del(String(key));
});

test('an event makes it a page of yesterday, at once', async () => {
  const before = await ask('customerId=carl&n=6');
  await buy('carl', 'tea-1');
  const after = await ask('customerId=carl&n=6');
  expect(after).not.toEqual(before);
  await eventually(async () => expect(await pagesOf('carl')).toHaveLength(1));
  await buy('carl', 'coffee-3');
  const shown = await ask('customerId=carl&n=6');
  expect(shown.items.map(({ itemId }: { itemId: string }) => itemId)).not.toContain('coffee-3');
});

test('what the request excludes, and what has gone from the catalogue, is left out of a page that is kept', async () => {
  const { items } = await ask('customerId=anna&n=6');
  const [first, second] = items.map(({ itemId }: { itemId: string }) => itemId);
  const without = await ask(`customerId=anna&n=6&exclude=${first}`);
  expect(without.items).toHaveLength(6);
  expect(without.items.map(({ itemId }: { itemId: string }) => itemId)).not.toContain(first);
  const item = (await service.call('GET', `/items/${second}`)).body;
  await service.call('PUT', `/items/${second}`, { ...item, inStock: false });
  await eventually(async () => {
    const shown = await ask('customerId=anna&n=6');
    expect(shown.items.map(({ itemId }: { itemId: string }) => itemId)).not.toContain(second);
  });
  await service.call('PUT', `/items/${second}`, item);
});

test('a filter that leaves too few of it has the page made anew', async () => {
  const kept = await ask('customerId=anna&n=2');
  await eventually(async () => expect((await pagesOf('anna')).length).toBeGreaterThan(1));
  const teas = Array.from({ length: 14 }, (_, n) => `tea-${n}`).join(',');
  const shown = await ask(`customerId=anna&n=2&exclude=${teas}`);
  expect(shown.items).toHaveLength(2);
  expect(shown).not.toEqual(kept);
});

test('another model makes all of them pages of yesterday', async () => {
  await ask('customerId=anna&n=6');
  const { version } = await publishShopModel(service.modelsDir);
  await eventually(async () => expect((await ask('customerId=anna&n=6')).modelVersion).toBe(version));
});

test('what is damaged counts as none', async () => {
  const before = await ask('customerId=anna&n=6');
  for (const key of await eventually(() => pagesOf('anna'))) {
    const bytes = (await redis.getBuffer(key)) ?? Buffer.alloc(0);
    await redis.set(key, bytes.subarray(0, 30));
  }
  expect(await askAnew('customerId=anna&n=6')).toEqual(before);
});
