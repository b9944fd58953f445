import { expect, test } from 'vitest';
import { countedField, countMade, countRedeemed } from '../../src/decide/count-offers.ts';
import { createBudgetLedger } from '../../src/decide/ledger/offer-budget.ts';
import { createMarketHolder } from '../../src/decide/market.ts';
import { loadDecisionPolicy } from '../../src/decide/policy.ts';
import { dayMs } from '../../src/domain/time.ts';
import { baseAcceptPropensity } from '../../src/offers/accept-propensity.ts';
import { itemsById, makeItem, makeOffer, noon } from '../support/offers.ts';
import { testRedis } from '../support/redis.ts';

const { redis, keys } = testRedis();

function holder() {
  let clock = noon;
  const catalogue = {
    loaded: true,
    revision: 1,
    items: itemsById(makeItem({ itemId: 'a', priceMinor: 100 })),
    offers: new Map([['one', makeOffer({ offerId: 'one' })]]),
  };
  const models = { collaborative: undefined, churn: undefined, customerValue: undefined, offers: undefined };
  const market = createMarketHolder({
    redis,
    keys,
    catalogue,
    models,
    policy: loadDecisionPolicy(undefined),
    currency: 'EUR',
    now: () => clock,
  });
  const advance = (ms: number) => {
    clock += ms;
  };
  return { market, catalogue, advance };
}

test('an offer is compiled once for each version of it', async () => {
  const { market, catalogue } = holder();
  const [before] = [...(await market.read()).offers];
  catalogue.offers.set('two', makeOffer({ offerId: 'two' }));
  catalogue.revision++;
  const [same, added] = [...(await market.read()).offers];
  expect(same).toBe(before);
  expect(added?.offer.offerId).toBe('two');
  catalogue.offers.set('one', makeOffer({ offerId: 'one', priorityLever: 2 }));
  catalogue.revision++;
  const [revised] = [...(await market.read()).offers];
  expect(revised).not.toBe(before);
  expect(revised?.offer.priorityLever).toBe(2);
});

test('statistics follow the catalogue, at most every ten seconds', async () => {
  const { market, catalogue, advance } = holder();
  expect((await market.read()).shop.medianPriceMinor).toBe(100);
  catalogue.items.set('b', makeItem({ itemId: 'b', priceMinor: 300 }));
  catalogue.revision++;
  expect((await market.read()).shop.medianPriceMinor).toBe(100);
  advance(10_000);
  expect((await market.read()).shop.medianPriceMinor).toBe(200);
});

test('counts are those of Redis, at most five seconds old', async () => {
  const { market, advance } = holder();
  expect(market.known().countsOf('one')).toEqual({ made: 0, redeemed: 0 });
  await redis.hset(keys.offersMade, 'one', 40);
  await redis.hset(keys.offersRedeemed, 'one', 3);
  expect((await market.read()).countsOf('one')).toEqual({ made: 40, redeemed: 3 });
  await redis.hincrby(keys.offersMade, 'one', 1);
  expect((await market.read()).countsOf('one').made).toBe(40);
  advance(5000);
  expect((await market.read()).countsOf('one').made).toBe(41);
  expect(market.known().countsOf('one').made).toBe(41);
  expect(market.known().countsOf('constructor')).toEqual({ made: 0, redeemed: 0 });
});

test('a list that was just made leaves acceptance as it was, until nobody can redeem it any more', async () => {
  const { market, advance } = holder();
  const acceptance = async (offerId: string) =>
    baseAcceptPropensity('percentOff', (await market.read()).countsOf(offerId));
  const before = await acceptance('listed');
  expect(before).toBe(0.05);
  const listed = (n: number) => `of-the-list-${n}`;
  const redeemableUntil = new Date(noon + 14 * dayMs).toISOString();
  const fieldOf = (n: number) => countedField({ offerId: 'listed', redeemableUntil }, listed(n), noon);
  const four = Array.from({ length: 400 }, (_, n) => n);
  await Promise.all(four.map((n) => countMade(redis, keys, listed(n), [fieldOf(n)])));
  // The eager come first: alone they would make it look better than it is.
  const redeem = (n: number) =>
    countRedeemed(redis, keys, { decisionId: listed(n), offerId: 'listed', field: fieldOf(n) }, 86_400);
  await Promise.all(four.slice(0, 30).map(redeem));
  for (const days of [1 / 24, 6, 8]) {
    advance(days * dayMs);
    expect(await acceptance('listed')).toBe(before);
  }
  await Promise.all(four.slice(30, 40).map(redeem));
  advance(dayMs);
  expect(await acceptance('listed')).toBeCloseTo((40 + 0.05 * 50) / (400 + 50), 12);
});

test('the budget that goes the fastest is known after a reading', async () => {
  const { market, catalogue, advance } = holder();
  await market.read();
  expect(market.greatestBurnRate()).toBeUndefined();
  const budget = (count: number) => ({ count, period: 'day' as const, pacing: 'none' as const });
  const offers = [
    makeOffer({ offerId: 'slow', budget: budget(100) }),
    makeOffer({ offerId: 'fast', budget: budget(4) }),
  ];
  for (const offer of offers) {
    catalogue.offers.set(offer.offerId, offer);
    await createBudgetLedger(redis, keys).reserve(
      offer,
      [1, 2].map((id) => ({ id: String(id), costMinor: 0 })),
      noon + dayMs,
      noon,
    );
  }
  catalogue.revision++;
  advance(1000);
  await market.read();
  // Half of it, at noon.
  expect(market.greatestBurnRate()).toBeCloseTo(1, 3);
});
