import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CHANNELS, LOYALTY_TIERS } from '../../src/domain/channel.ts';
import { DecisionPolicy } from '../../src/domain/decision-policy.ts';
import type { Offer } from '../../src/domain/offer.ts';
import { dayMs } from '../../src/domain/time.ts';
import { chooseOffers, openChoice } from '../../src/offers/choose-offers.ts';
import type { Contact } from '../../src/offers/contact-history.ts';
import { fallbackPlacements } from '../../src/offers/fallback-placements.ts';
import { makeFacts, makeMarket, makeOffer, makeSituation, noon } from '../support/offers.ts';

const names = ['orderCount'];
/** Where a customer may have several discounts at once, unless a test says otherwise. */
const several = DecisionPolicy.parse({ contact: { oneDiscountAtATime: false } });
const marketOf = (...offers: Offer[]) => makeMarket(offers, names, { policy: several });
const percentOff = (offerId: string, percent: number, more: object = {}) =>
  makeOffer({ offerId, benefit: { kind: 'percentOff', percent }, ...more });
const banner = (offerId: string, more: object = {}) =>
  makeOffer({ offerId, benefit: { kind: 'content' }, fallback: true, ...more });
const idsOf = (placement: { offers: { offerId: string }[] } | undefined) =>
  placement?.offers.map((offer) => offer.offerId);

test('the most valuable offers are made, best first; the others are named with their reason', () => {
  const market = marketOf(
    percentOff('ten', 10),
    percentOff('five', 5),
    percentOff('fifteen', 15),
    // The margin is 40 %, and half of those who take it would have bought anyway: half off loses money.
    percentOff('half', 50),
    percentOff('gold', 1, { eligibility: { attribute: 'tier', in: ['gold'] } }),
  );
  const { placements, excluded } = chooseOffers(market, makeFacts(), makeSituation(), { limit: 2 });
  expect(idsOf(placements[0])).toEqual(['five', 'ten']);
  expect(excluded.map(({ offerId, reasonCode }) => [offerId, reasonCode])).toEqual([
    ['fifteen', 'outranked'],
    ['gold', 'attribute:tier'],
    ['half', 'value-not-positive'],
  ]);
});

test('of several discounts one is made, in whatever place it may stand; what is no discount stands beside it', () => {
  const delivery = { benefit: { kind: 'freeDelivery', costMinor: 10 }, priorityLever: 0.01 };
  const market = makeMarket(
    [
      percentOff('five', 5, { placements: ['hero'] }),
      percentOff('ten', 10),
      percentOff('half', 50),
      makeOffer({ offerId: 'delivery', ...delivery }),
    ],
    names,
  );
  const situation = makeSituation({ placements: ['hero', 'cart'] });
  const { placements, excluded } = chooseOffers(market, makeFacts(), situation, { limit: 3 });
  expect(placements.map(idsOf)).toEqual([['five', 'delivery'], []]);
  expect(excluded.map(({ offerId, reasonCode }) => [offerId, reasonCode])).toEqual([
    ['half', 'value-not-positive'],
    ['ten', 'discount-open'],
  ]);
  const open = openChoice(market, makeFacts(), situation, { limit: 3 });
  const [five] = open.chosen();
  if (five !== undefined) open.refuse(five, 'budget-exhausted');
  expect(open.result().placements.map(idsOf)).toEqual([['delivery', 'ten'], []]);
});

test('offers of equal value are made in the order of their ids', () => {
  const market = marketOf(percentOff('b', 10), percentOff('a', 10), percentOff('c', 10));
  expect(idsOf(chooseOffers(market, makeFacts(), makeSituation(), { limit: 3 }).placements[0])).toEqual([
    'a',
    'b',
    'c',
  ]);
});

test('a decision gives one discount at a time, and says so of the others', () => {
  const market = makeMarket(
    [
      percentOff('five', 5),
      percentOff('ten', 10),
      makeOffer({ offerId: 'gift', benefit: { kind: 'gift', costMinor: 300 } }),
    ],
    names,
  );
  const { placements, excluded } = chooseOffers(
    market,
    makeFacts(),
    makeSituation({ placements: ['hero', 'cart'] }),
    { limit: 2 },
  );
  expect(placements.map(idsOf)).toEqual([['five', 'gift'], []]);
  expect(excluded).toMatchObject([{ offerId: 'ten', reasonCode: 'discount-open' }]);
});

test('an offer whose budget is used up does not compete, unless the customer has it already', () => {
  const market = { ...marketOf(percentOff('five', 5), percentOff('ten', 10)) };
  market.budgetReason = (offer) => (offer.offerId === 'five' ? 'budget-exhausted' : undefined);
  const choose = (facts = makeFacts()) => chooseOffers(market, facts, makeSituation(), { limit: 1 });
  expect(idsOf(choose().placements[0])).toEqual(['ten']);
  expect(choose().excluded).toMatchObject([{ offerId: 'five', reasonCode: 'budget-exhausted' }]);
  const redeemableUntil = noon + 2 * dayMs;
  const held: Contact = {
    occasionId: 'o',
    decisionId: 'earlier',
    offerId: 'five',
    channel: 'web',
    at: noon - dayMs,
    discount: true,
    redeemableUntil,
    state: 'reserved',
    stateAt: noon - dayMs,
    expiresAt: redeemableUntil,
  };
  expect(choose(makeFacts({ contacts: [held] })).placements[0]?.offers).toMatchObject([
    { offerId: 'five', heldSince: 'earlier', redeemableUntil: new Date(redeemableUntil).toISOString() },
  ]);
});

test('what is refused makes room for the next, and the place no longer tells a probability', () => {
  const market = marketOf(percentOff('five', 5), percentOff('ten', 10), percentOff('fifteen', 15));
  const choice = openChoice(market, makeFacts(), makeSituation({ placements: ['hero', 'cart'] }), {
    limit: 1,
  });
  const [first] = choice.chosen();
  if (first === undefined) throw new Error('nothing was chosen');
  choice.refuse(first, 'budget-exhausted');
  const { placements, excluded } = choice.result();
  expect(placements.map(idsOf)).toEqual([['fifteen'], ['ten']]);
  expect(placements.map(({ loggingPropensity }) => loggingPropensity)).toEqual([undefined, undefined]);
  expect(excluded).toMatchObject([{ offerId: 'five', reasonCode: 'budget-exhausted' }]);
});

test('when nothing is worth more than saying nothing, nothing is said', () => {
  const { placements } = chooseOffers(marketOf(percentOff('half', 50)), makeFacts(), makeSituation(), {
    limit: 1,
  });
  expect(placements).toEqual([{ placement: 'default', offers: [], fallback: false, loggingPropensity: 1 }]);
});

test('a place takes what may stand there, and an offer stands in one place only', () => {
  const market = marketOf(
    percentOff('anywhere', 1),
    percentOff('hero', 2, { placements: ['hero'] }),
    percentOff('cart', 3, { placements: ['cart'] }),
  );
  const situation = makeSituation({ placements: ['cart', 'hero', 'footer'] });
  const { placements } = chooseOffers(market, makeFacts(), situation, { limit: 1 });
  expect(placements.map(idsOf)).toEqual([['anywhere'], ['hero'], []]);
  expect(placements.map(({ placement }) => placement)).toEqual(['cart', 'hero', 'footer']);
});

test('a fallback stands in an empty place, and only there', () => {
  const market = marketOf(percentOff('ten', 10, { placements: ['hero'] }), banner('banner'));
  const situation = makeSituation({ placements: ['hero', 'footer'] });
  const { placements, excluded } = chooseOffers(market, makeFacts(), situation, { limit: 1 });
  expect(placements.map(idsOf)).toEqual([['ten'], ['banner']]);
  expect(placements.map(({ fallback }) => fallback)).toEqual([false, true]);
  expect(placements[1]?.offers[0]).toMatchObject({ expectedValue: 0, reasons: ['fallback'] });
  expect(excluded).toEqual([]);
});

test('of several fallbacks the one with the highest lever stands in, if it may stand there now', () => {
  const market = marketOf(
    banner('low'),
    banner('over', { priorityLever: 9, validTo: '2026-06-15T12:00:00Z' }),
    banner('hero', { priorityLever: 5, placements: ['hero'] }),
    banner('high', { priorityLever: 2 }),
  );
  const situation = makeSituation({ placements: ['hero', 'footer'] });
  expect(fallbackPlacements(market, situation).map(idsOf)).toEqual([['hero'], ['high']]);
});

test('a fallback that sells does not stand in for whom nothing may be sold to; the next one does', () => {
  const market = marketOf(banner('plain'), banner('sale', { priorityLever: 2, sells: true }));
  const standsInFor = (facts: Parameters<typeof makeFacts>[0]) =>
    idsOf(chooseOffers(market, makeFacts(facts), makeSituation(), { limit: 1 }).placements[0]);
  expect(standsInFor({})).toEqual(['sale']);
  expect(standsInFor({ complaintOpen: true })).toEqual(['plain']);
  expect(standsInFor({ lastRatedBelow: () => noon - dayMs })).toEqual(['plain']);
  expect(standsInFor({})).toEqual(['sale']);
});

const instant = fc.integer({ min: -5, max: 5 }).map((days) => new Date(noon + days * dayMs).toISOString());
const anyOffer = fc
  .record(
    {
      benefit: fc.constantFrom(
        { kind: 'percentOff', percent: 10 },
        { kind: 'freeDelivery', costMinor: 100 },
        { kind: 'serviceContact', costMinor: 1 },
        { kind: 'content' },
      ),
      channels: fc.subarray([...CHANNELS], { minLength: 1 }),
      placements: fc.subarray(['hero', 'cart']),
      itemIds: fc.subarray(['there', 'gone']),
      validFrom: instant,
      validTo: instant,
      priorityLever: fc.constantFrom(0.01, 1, 100),
      retention: fc.boolean(),
      eligibility: fc.record({
        all: fc.subarray(
          [
            { attribute: 'tier', in: ['none', 'gold'] },
            { not: { attribute: 'segment', notIn: ['FR'] } },
            { feature: 'orderCount', gte: 2, lt: 5 },
          ],
          { minLength: 1 },
        ),
      }),
    },
    { requiredKeys: ['benefit', 'channels', 'priorityLever'] },
  )
  .filter(({ validFrom, validTo }) => !validFrom || !validTo || validFrom < validTo);

test('whatever its priority, no offer is made that its rules or the customer forbid; and none is forgotten', () => {
  const property = fc.property(
    fc.array(anyOffer, { maxLength: 12 }),
    fc.record({
      loyaltyTier: fc.constantFrom(...LOYALTY_TIERS),
      segment: fc.constantFrom('FR', 'DE', undefined),
      consent: fc.record({ email: fc.boolean(), phone: fc.boolean() }, { requiredKeys: [] }),
      complaintOpen: fc.boolean(),
      orderCount: fc.constantFrom(0, 2, 3, 4, 5, Number.NaN),
      churnRisk: fc.constantFrom(undefined, 0, 1),
    }),
    fc.constantFrom(...CHANNELS),
    fc.subarray(['hero', 'cart', 'footer'], { minLength: 1 }),
    fc.integer({ min: 1, max: 3 }),
    (inputs, customer, channel, places, limit) => {
      const offers = inputs.map((input, i) => makeOffer({ offerId: `o${i}`, ...input }));
      const facts = makeFacts({ ...customer, features: Float32Array.of(customer.orderCount) });
      const situation = makeSituation({
        channel,
        placements: places,
        isBuyable: (itemId) => itemId === 'there',
      });
      const { placements, excluded } = chooseOffers(marketOf(...offers), facts, situation, { limit });

      for (const { placement, offers: made } of placements) {
        expect(made.length).toBeLessThanOrEqual(limit);
        for (const { offerId, expectedValue } of made) {
          const offer = offers.find((one) => one.offerId === offerId);
          if (offer === undefined) throw new Error(`${offerId} does not exist`);
          const { eligibility } = offer;
          // The rules once more, in other words than the code under test.
          expect(expectedValue).toBeGreaterThan(0);
          expect(offer.channels).toContain(channel);
          if (offer.placements.length > 0) expect(offer.placements).toContain(placement);
          if (offer.validFrom) expect(noon).toBeGreaterThanOrEqual(Date.parse(offer.validFrom));
          if (offer.validTo) expect(noon).toBeLessThan(Date.parse(offer.validTo));
          if (offer.itemIds.length > 0) expect(offer.itemIds).toContain('there');
          if (channel === 'email') expect(customer.consent.email).toBe(true);
          if (channel === 'phone') expect(customer.consent.phone).toBe(true);
          if (customer.complaintOpen) expect(['serviceContact', 'content']).toContain(offer.benefit.kind);
          for (const rule of eligibility?.all ?? []) {
            if (rule.attribute) expect(['none', 'gold']).toContain(customer.loyaltyTier);
            if (rule.not) expect(customer.segment).toBe('FR');
            if (rule.feature) expect([2, 3, 4]).toContain(customer.orderCount);
          }
        }
      }
      const accounted = [...placements.flatMap((place) => place.offers), ...excluded].map(
        ({ offerId }) => offerId as string,
      );
      expect(accounted.sort()).toEqual(offers.map(({ offerId }) => offerId as string).sort());
    },
  );
  fc.assert(property, { numRuns: 300 });
});

const ranked = (ranking: string, more: object = {}) =>
  DecisionPolicy.parse({
    ...more,
    experiments: [
      {
        name: 'ranked',
        from: '2026-01-01T00:00:00Z',
        variants: [
          { name: 'a', ranking },
          { name: 'b', ranking },
        ],
      },
    ],
  });

test('ranked by response, a loss is not made, and what is made says by what', () => {
  // Accepted as often as the other, and dear.
  const market = makeMarket([percentOff('a-half', 50), percentOff('five', 5)], names, {
    policy: ranked('response'),
  });
  const { placements, excluded } = chooseOffers(market, makeFacts(), makeSituation(), { limit: 2 });
  expect(idsOf(placements[0])).toEqual(['five']);
  expect(placements[0]?.offers[0]?.reasons).toContain('by-response');
  expect(excluded.map(({ offerId, reasonCode }) => [offerId, reasonCode])).toEqual([
    ['a-half', 'value-not-positive'],
  ]);
});

test('evenly at random is within what exploring may cost; beyond, the best is made for sure', () => {
  const market = makeMarket([percentOff('a-half', 50), percentOff('five', 5)], names, {
    policy: ranked('random'),
  });
  const drawn = (affordable: boolean, random: number) => {
    const asked: number[] = [];
    const afford = (costMinor: number) => asked.push(costMinor) > 0 && affordable;
    const drawing = { random: () => random, afford };
    const { placements } = chooseOffers(market, makeFacts(), makeSituation(), { limit: 1, drawing });
    expect(asked[0]).toBeGreaterThan(0);
    return placements[0];
  };
  const seen = new Set([0.1, 0.5, 0.9].map((random) => idsOf(drawn(true, random))?.join()));
  expect(seen).toEqual(new Set(['five', 'a-half', '']));
  for (const random of [0.1, 0.5, 0.9]) {
    const place = drawn(false, random);
    expect([idsOf(place), place?.loggingPropensity]).toEqual([['five'], 1]);
  }
});

test('once exploring is spent, the best is made for sure and no more is asked for', () => {
  const market = makeMarket([percentOff('a-half', 50), percentOff('five', 5)], names);
  const drawn = (isSpent: boolean) => {
    const asked: number[] = [];
    const drawing = {
      random: () => 0.999,
      afford: (costMinor: number) => asked.push(costMinor) > 0 && !isSpent,
      isSpent: (costMinor: number) => isSpent && costMinor > 0,
    };
    const { placements } = chooseOffers(market, makeFacts(), makeSituation(), { limit: 1, drawing });
    return { asked, place: placements[0] };
  };
  const free = drawn(false);
  expect(free.asked).toHaveLength(1);
  expect(free.place?.loggingPropensity).toBeLessThan(1);
  const { asked, place } = drawn(true);
  expect(asked).toEqual([]);
  expect([idsOf(place), place?.loggingPropensity]).toEqual([['five'], 1]);
});

test('an apology is made to who is aggrieved, also where no churn model tells who may leave', () => {
  const apology = makeOffer({ offerId: 'sorry', benefit: { kind: 'serviceContact', costMinor: 300 } });
  const made = (grievance: number) =>
    idsOf(
      chooseOffers(
        makeMarket([apology, percentOff('five', 5)], names),
        makeFacts({ standing: { grievance, takesPart: 0 }, churnRisk: undefined }),
        makeSituation(),
        { limit: 1 },
      ).placements[0],
    );
  expect(made(1)).toEqual(['sorry']);
  expect(made(0)).toEqual(['five']);
});
