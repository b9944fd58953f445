import { expect, test } from 'vitest';
import { countMade, countRedeemed } from '../../src/decide/count-offers.ts';
import { decisionTtlSeconds } from '../../src/decide/kept-seconds.ts';
import { standingMs } from '../../src/domain/decision.ts';
import { madePlace } from '../../src/infra/decision-places.ts';
import { testRedis } from '../support/redis.ts';

const { redis, keys } = testRedis();

test('the offers of a decision count as made once, however often they are told at once', async () => {
  await Promise.all(Array.from({ length: 20 }, () => countMade(redis, keys, 'd1', ['a', 'b'])));
  await countMade(redis, keys, 'd2', ['a']);
  expect(await redis.hgetall(keys.offersMade)).toEqual({ a: '2', b: '1' });
  // Longer than a decision stands, within which it may be logged again.
  const ttl = await redis.pttl(madePlace('d1', keys).key);
  expect(ttl).toBeGreaterThan(standingMs);
  expect(ttl).toBeLessThanOrEqual(2 * standingMs);
  await countMade(redis, keys, 'list-1', ['c'], decisionTtlSeconds);
  expect(await redis.pttl(madePlace('list-1', keys).key)).toBeGreaterThan(29 * standingMs);
});

test('each offer of a decision counts as redeemed once', async () => {
  for (const offerId of ['a', 'b', 'a']) await countRedeemed(redis, keys, 'd1', offerId, 90 * 86_400);
  expect(await redis.hgetall(keys.offersRedeemed)).toEqual({ a: '1', b: '1' });
  // As long as its decision is known, it may be told again.
  expect(await redis.pttl(keys.offersRedeemedMarker('d1', 'a'))).toBeGreaterThan(89 * standingMs);
});

test("a marker lies on its counter's node of a cluster: its tag is the counter's whole key", () => {
  expect(keys.offersMadeMarkers('d')).toBe(`{${keys.offersMade}}:d`);
  expect(keys.offersRedeemedMarker('d', 'a')).toBe(`{${keys.offersRedeemed}}:d:a`);
});
