import { expect, test } from 'vitest';
import { isGone, markGone, unmarkGone } from '../../src/features/gone-customers.ts';
import { keysMatching, testRedis } from '../support/redis.ts';

const { redis, keys } = testRedis();
const deps = { redis, keys };

test('who was marked is known to be gone, until the mark is taken away', async () => {
  await markGone(['anna', 'bert', 'anna'], deps);
  expect(await Promise.all(['anna', 'bert', 'carl'].map((id) => isGone(id, deps)))).toEqual([
    true,
    true,
    false,
  ]);
  expect(await unmarkGone('anna', deps)).toBe(true);
  expect(await unmarkGone('anna', deps)).toBe(false);
  expect(await isGone('anna', deps)).toBe(false);
  expect(await isGone('bert', deps)).toBe(true);
});

test('a mark is a whole number, which a set keeps in eight bytes', async () => {
  await markGone(
    Array.from({ length: 500 }, (_, n) => `c${n}`),
    deps,
  );
  const sets = await keysMatching(redis, keys.goneCustomers('*'));
  expect(sets.length).toBeGreaterThan(400);
  for (const set of sets.slice(0, 20)) expect(await redis.object('ENCODING', set)).toBe('intset');
});
