import { beforeEach, expect, test } from 'vitest';
import { countedField, countMade, countRedeemed, settleCounts } from '../../src/decide/count-offers.ts';
import { newDecisionId } from '../../src/decide/decision-id.ts';
import { decisionTtlSeconds } from '../../src/decide/kept-seconds.ts';
import { standingMs } from '../../src/domain/decision.ts';
import { dayMs } from '../../src/domain/time.ts';
import { madePlace } from '../../src/infra/decision-places.ts';
import { timesMade, timesRedeemed } from '../support/offer-counts.ts';
import { deleteEach, testRedis } from '../support/redis.ts';

const { redis, keys } = testRedis();

const noon = Date.parse('2026-06-10T12:00:00Z');
const day = Math.floor(noon / dayMs);
const until = (days: number) => new Date(noon + days * dayMs).toISOString();
const fieldOf = (offerId: string, days = 14) =>
  countedField({ offerId, redeemableUntil: until(days) }, 'a decision', noon);
const settled = async () => ({
  made: await redis.hgetall(keys.offersMade),
  redeemed: await redis.hgetall(keys.offersRedeemed),
});

beforeEach(() =>
  deleteEach(redis, [keys.offersMade, keys.offersMadeOpen, keys.offersRedeemed, keys.offersRedeemedOpen]),
);

test('the offers of a decision count as made once, however often they are told at once', async () => {
  const fields = ['a', 'b'].map((offerId) => fieldOf(offerId));
  await Promise.all(Array.from({ length: 20 }, () => countMade(redis, keys, 'd1', fields)));
  await countMade(redis, keys, 'd2', [fieldOf('a')]);
  expect(await timesMade(redis, keys)).toEqual({ a: 2, b: 1 });
  // Longer than a decision stands, within which it may be logged again.
  const ttl = await redis.pttl(madePlace('d1', keys).key);
  expect(ttl).toBeGreaterThan(standingMs);
  expect(ttl).toBeLessThanOrEqual(2 * standingMs);
  await countMade(redis, keys, 'list-1', [fieldOf('c')], decisionTtlSeconds);
  expect(await redis.pttl(madePlace('list-1', keys).key)).toBeGreaterThan(29 * standingMs);
});

test('each offer of a decision counts as redeemed once', async () => {
  for (const offerId of ['a', 'b', 'a'])
    await countRedeemed(redis, keys, { decisionId: 'd1', offerId, field: fieldOf(offerId) }, 90 * 86_400);
  expect(await timesRedeemed(redis, keys)).toEqual({ a: 1, b: 1 });
  // As long as its decision is known, it may be told again.
  expect(await redis.pttl(keys.offersRedeemedMarker('d1', 'a'))).toBeGreaterThan(89 * standingMs);
});

test('made and redeemed are settled together, the day after they could be redeemed', async () => {
  // As a version before counted them: settled.
  await redis.hset(keys.offersMade, 'a', 100);
  await redis.hset(keys.offersRedeemed, 'a', 7);
  await countMade(redis, keys, 'd3', [fieldOf('a', 14), fieldOf('b: c', 3)]);
  await countMade(redis, keys, 'd4', [fieldOf('a', 14)]);
  await countRedeemed(redis, keys, { decisionId: 'd4', offerId: 'a', field: fieldOf('a') }, 86_400);
  await settleCounts(redis, keys, noon + 3 * dayMs);
  expect(await settled()).toEqual({ made: { a: '100' }, redeemed: { a: '7' } });
  await settleCounts(redis, keys, (day + 4) * dayMs);
  expect(await settled()).toEqual({ made: { a: '100', 'b: c': '1' }, redeemed: { a: '7' } });
  // Whichever processes settle them at once, and told of once more.
  await Promise.all(Array.from({ length: 5 }, () => settleCounts(redis, keys, (day + 15) * dayMs)));
  await countMade(redis, keys, 'd4', [fieldOf('a', 14)]);
  expect(await settled()).toEqual({ made: { a: '102', 'b: c': '1' }, redeemed: { a: '8' } });
  expect(await redis.exists(keys.offersMadeOpen)).toBe(0);
  expect(await redis.exists(keys.offersRedeemedOpen)).toBe(0);
  // Told of when its day has been settled.
  await countRedeemed(redis, keys, { decisionId: 'd3', offerId: 'a', field: fieldOf('a') }, 86_400);
  await settleCounts(redis, keys, (day + 16) * dayMs);
  expect((await settled()).redeemed).toEqual({ a: '9' });
});

test('thousands of days and offers are settled, too', async () => {
  const fields = Array.from({ length: 2500 }, (_, n) => fieldOf(`offer-${n}`, n % 5));
  await countMade(redis, keys, 'a long list', fields);
  await settleCounts(redis, keys, (day + 6) * dayMs);
  expect(await redis.hlen(keys.offersMade)).toBe(2500);
  expect(await redis.exists(keys.offersMadeOpen)).toBe(0);
});

test('what has nothing to redeem is settled two weeks after the decision, as its id tells', () => {
  const decisionId = newDecisionId(noon - dayMs);
  expect(countedField({ offerId: 'call' }, decisionId, noon)).toBe(`${day + 13}:call`);
  expect(countedField({ offerId: 'call' }, 'of another system', noon)).toBe(`${day + 14}:call`);
});

test("a marker lies on its counter's node of a cluster: its tag is the counter's whole key", () => {
  expect(keys.offersMadeMarkers('d')).toBe(`{${keys.offersMade}}:d`);
  expect(keys.offersMadeOpen).toBe(`{${keys.offersMade}}.open`);
  expect(keys.offersRedeemedOpen).toBe(`{${keys.offersRedeemed}}.open`);
  expect(keys.offersRedeemedMarker('d', 'a')).toBe(`{${keys.offersRedeemed}}:d:a`);
});
