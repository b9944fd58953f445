import { expect, onTestFinished, test } from 'vitest';
import { type BestSeller, readBestSellers, writeBestSellers } from '../../../src/infra/best-sellers.ts';
import { createBestSellers } from '../../../src/serve/recommend/best-sellers.ts';
import { eventually } from '../../support/eventually.ts';
import { testRedis } from '../../support/redis.ts';

const { redis, keys } = testRedis();
const tea: BestSeller = { itemId: 'tea', share: 0.75 };
const coffee: BestSeller = { itemId: 'coffee', share: 0.25 };
const none = { collaborative: undefined };

test('what is counted anew is followed, and kept where it cannot be read any more', async () => {
  const place = { bestSellers: `${keys.bestSellers}:followed` };
  let isAway = false;
  let reads = 0;
  const read = async () => {
    reads++;
    if (isAway) throw new Error('Redis is away');
    return readBestSellers(redis, place);
  };
  const holder = createBestSellers(none, read, 1);
  onTestFinished(holder.stop);
  await holder.start();
  expect(holder.current).toEqual([]);
  await writeBestSellers(redis, place, [tea]);
  await eventually(async () => expect(holder.current).toEqual([tea]));
  await writeBestSellers(redis, place, [coffee, tea]);
  await eventually(async () => expect(holder.current).toEqual([coffee, tea]));
  isAway = true;
  const before = reads;
  await eventually(async () => expect(reads).toBeGreaterThan(before + 1));
  expect(holder.current).toEqual([coffee, tea]);
  isAway = false;
  await redis.set(place.bestSellers, '[{"itemId":');
  const since = reads;
  await eventually(async () => expect(reads).toBeGreaterThan(since + 1));
  expect(holder.current).toEqual([coffee, tea]);
});

test('with a model nothing is read', async () => {
  let reads = 0;
  const served = { collaborative: {} as never };
  const holder = createBestSellers(served, async () => {
    reads++;
    return [tea];
  });
  await holder.start();
  await holder.stop();
  expect({ reads, current: holder.current }).toEqual({ reads: 0, current: [] });
});
