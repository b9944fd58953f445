import { expect, test } from 'vitest';
import { countMade, countRedeemed, decisionTtlSeconds } from '../../src/decide/count-offers.ts';
import { testRedis } from '../support/redis.ts';

const { redis, keys } = testRedis();

test('the offers of a decision count as made once, however often they are told at once', async () => {
  await Promise.all(Array.from({ length: 20 }, () => countMade(redis, keys, 'd1', ['a', 'b'])));
  await countMade(redis, keys, 'd2', ['a']);
  expect(await redis.hgetall(keys.offersMade)).toEqual({ a: '2', b: '1' });
  expect(await redis.ttl(keys.offersMadeMarker('d1'))).toBeLessThanOrEqual(decisionTtlSeconds);
});

test('each offer of a decision counts as redeemed once', async () => {
  for (const offerId of ['a', 'b', 'a']) await countRedeemed(redis, keys, 'd1', offerId);
  expect(await redis.hgetall(keys.offersRedeemed)).toEqual({ a: '1', b: '1' });
});

test("a marker lies on its counter's node of a cluster: its tag is the counter's whole key", () => {
  expect(keys.offersMadeMarker('d')).toBe(`{${keys.offersMade}}:d`);
  expect(keys.offersRedeemedMarker('d', 'a')).toBe(`{${keys.offersRedeemed}}:d:a`);
});
