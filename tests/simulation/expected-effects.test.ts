/** Expected effects of offers against what happens: each customer twice, once with the offer and once without. */
import { beforeAll, describe, expect, test } from 'vitest';
import { dayMs } from '../../src/domain/time.ts';
import { contact } from '../../src/simulation/contact.ts';
import { type EffectKind, effectsOf, type OfferEffects } from '../../src/simulation/expected-effects.ts';
import type { Journey } from '../../src/simulation/journey.ts';
import { responseTo } from '../../src/simulation/offer-effects.ts';
import { advance, setOut } from '../../src/simulation/simulate-customer.ts';
import { openShop } from '../../src/simulation/simulate-shop.ts';
import { mean, optionsOf } from './in-memory.ts';

const customers = 6000;
const shop = openShop(optionsOf({ customers, items: 60, days: 420, offerWeeks: 0, seed: 21 }));
const at = shop.calendar.endAt - 100 * dayMs;

type Pair = { expected: OfferEffects; orders: number; redeemed: boolean; left: number };

/** What the offer did to everybody who was still a customer, next to what was expected of it. */
function experiment(offerId: string): Pair[] {
  const offer = shop.offers.find((candidate) => candidate.offer.offerId === offerId)!;
  const pairs: Pair[] = [];
  for (let index = 0; index < customers; index++) {
    const [treated, control] = [startedAt(index), startedAt(index)];
    if (treated.orders === 0 || treated.phase === 'leaving' || treated.phase === 'gone') continue;
    const expected = effectsOf(treated, offer, at);
    contact(treated, at, offer, 'd');
    const until = at + 15.5 * dayMs;
    for (const journey of [treated, control]) advance(journey, until);
    const orders = treated.orders - control.orders;
    const redeemed = treated.writer.take().includes('"redeemed","valueMinor"');
    for (const journey of [treated, control]) advance(journey, at + 91 * dayMs);
    const left = (journey: Journey) => (journey.phase === 'active' ? 0 : 1);
    pairs.push({ expected, orders, redeemed, left: left(treated) - left(control) });
  }
  return pairs;
}

function startedAt(index: number): Journey {
  const journey = setOut(shop, index);
  advance(journey, at);
  return journey;
}

/** Mean and its standard error. */
function estimate(values: readonly number[]): { value: number; error: number } {
  const value = mean(values);
  return { value, error: Math.sqrt(mean(values.map((x) => (x - value) ** 2)) / values.length) };
}

describe.each(['win-back-15', 'big-basket-10-euro', 'sorry-we-were-late'])('%s', (offerId) => {
  let pairs: Pair[];
  beforeAll(() => {
    pairs = experiment(offerId);
  });

  test('as many additional orders as expected', () => {
    const { value, error } = estimate(pairs.map(({ orders }) => orders));
    const expected = mean(pairs.map((pair) => pair.expected.additionalOrders));
    expect(Math.abs(value - expected)).toBeLessThan(4 * error + 0.1 * expected);
  });

  test('redeemed about as often as expected: orders keep to a rhythm that the expectation leaves out', () => {
    const { value, error } = estimate(pairs.map(({ redeemed }) => (redeemed ? 1 : 0)));
    const expected = mean(pairs.map((pair) => pair.expected.redeemed));
    expect(Math.abs(value - expected)).toBeLessThan(4 * error + 0.15 * expected);
  });

  test('those of whom it is expected leave more, or less, by as much', () => {
    const byExpectation = [...pairs].sort((a, b) => a.expected.churn - b.expected.churn);
    const fifth = Math.floor(pairs.length / 5);
    for (const group of [byExpectation.slice(0, fifth), byExpectation.slice(-fifth)]) {
      const { value, error } = estimate(group.map(({ left }) => left));
      const expected = mean(group.map((pair) => pair.expected.churn));
      expect(Math.abs(value - expected)).toBeLessThan(4 * error + 0.2 * Math.abs(expected));
    }
  });
});

test('every kind of effect is there: one in twenty at least is persuaded, sure, lost and driven away by some offer', () => {
  const counts = new Map<EffectKind, number>();
  let all = 0;
  for (let index = 0; index < 1000; index++) {
    const journey = startedAt(index);
    for (const offer of shop.offers) {
      const { kind } = effectsOf(journey, offer, at);
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
      all++;
    }
  }
  for (const kind of ['persuadable', 'sure', 'lost', 'drivenAway'] as const)
    expect((counts.get(kind) ?? 0) / all).toBeGreaterThan(0.05);
});

test('contacts wear: the second of two in a row persuades less and irritates more', () => {
  const offer = shop.offers.find((candidate) => candidate.offer.offerId === 'free-delivery')!;
  let compared = 0;
  for (let index = 0; index < 200; index++) {
    const journey = startedAt(index);
    // Far from where irritation ends.
    if (journey.phase !== 'active' || responseTo(journey, offer, at).irritation > 0.5) continue;
    const first = responseTo(journey, offer, at);
    contact(journey, at, offer, 'd');
    const second = responseTo(journey, offer, at + 1000);
    expect(second.persuaded).toBeLessThan(first.persuaded);
    expect(second.irritation).toBeGreaterThan(first.irritation);
    compared++;
  }
  expect(compared).toBeGreaterThan(50);
});

test('a customer advanced bit by bit, in turns with another, is the same as at once', () => {
  const [whole, step, other] = [setOut(shop, 7), setOut(shop, 7), setOut(shop, 8)];
  advance(whole, shop.calendar.endAt);
  for (let until = shop.calendar.startAt; until <= shop.calendar.endAt; until += 30 * dayMs)
    for (const journey of [step, other]) advance(journey, until);
  advance(step, shop.calendar.endAt);
  expect(step.writer.take()).toBe(whole.writer.take());
});
