import { expect, test } from 'vitest';
import { createRng } from '../../../src/algorithms/rng.ts';
import {
  blockOf,
  candidateWidth,
  encodeWanted,
  type Wanted,
} from '../../../src/train/batch/candidates-file.ts';
import {
  budgetPrices,
  type HowMany,
  isShort,
  type Supply,
  shareOut,
} from '../../../src/train/batch/share-budgets.ts';

const places = (count: number): Supply => ({ amountMinor: Number.POSITIVE_INFINITY, count, costMinor: 1 });

const one: HowMany = { limit: 1, exclusive: [] };

/** Two blocks, so that what is carried from one to the next is seen. */
function blocksOf(lists: Wanted[][], limit: number) {
  const width = candidateWidth(limit);
  const half = Math.ceil(lists.length / 2);
  return [lists.slice(0, half), lists.slice(half)].map((some) => blockOf(encodeWanted(some, width), width));
}

/** What each customer has then: of the offers that are not short whatever she likes best, as the decision does. */
async function share(lists: Wanted[][], supplies: Supply[], howMany = one) {
  const blocks = () => blocksOf(lists, howMany.limit);
  const prices = await budgetPrices(blocks, supplies, howMany);
  const shares: number[] = [];
  for await (const some of shareOut(blocks, prices, supplies, howMany)) shares.push(...some);
  let value = 0;
  const used = supplies.map(() => 0);
  const gets = lists.map((wanted, customer) => {
    const own = shares.slice(customer * howMany.limit, (customer + 1) * howMany.limit);
    const has: number[] = [];
    for (const { offer, value: worth } of wanted) {
      if (has.length >= howMany.limit || (isShort(prices, offer) && !own.includes(offer + 1))) continue;
      if (howMany.exclusive[offer] && has.some((other) => howMany.exclusive[other])) continue;
      has.push(offer);
      used[offer] = (used[offer] ?? 0) + 1;
      value += worth;
    }
    return has;
  });
  return { prices, value, used, gets };
}

test('where budgets suffice, everybody has the best and nothing has a price', async () => {
  const lists = [
    [{ offer: 0, value: 5 }],
    [
      { offer: 1, value: 3 },
      { offer: 0, value: 2 },
    ],
  ];
  const { prices, value } = await share(lists, [places(10), places(10)]);
  expect(prices.above).toEqual([0, 0]);
  expect(value).toBe(8);
});

test('one offer for two of five: those to whom it is worth most', async () => {
  const lists = [10, 50, 30, 20, 40].map((value) => [{ offer: 0, value }]);
  const { prices, value, used } = await share(lists, [places(2)]);
  expect(used).toEqual([2]);
  expect(value).toBe(90);
  expect(prices.at[0]).toBeGreaterThanOrEqual(29.9);
});

test('who has something else nearly as good makes room for who has not', async () => {
  const lists = [
    [
      { offer: 0, value: 100 },
      { offer: 1, value: 99 },
    ],
    [{ offer: 0, value: 60 }],
  ];
  const { value } = await share(lists, [places(1), places(5)]);
  // First come, first served would give 100.
  expect(value).toBe(99 + 60);
});

test('an amount of money is shared out by what each redemption may cost', async () => {
  const lists = [10, 50, 30].map((value) => [{ offer: 0, value }]);
  const { gets } = await share(lists, [
    { amountMinor: 250, count: Number.POSITIVE_INFINITY, costMinor: 100 },
  ]);
  expect(gets).toEqual([[], [0], [0]]);
});

test('nothing is left: nobody gets it', async () => {
  const lists = [[{ offer: 0, value: 10 }]];
  expect((await share(lists, [places(0)])).gets).toEqual([[]]);
});

test.each([
  ['all are worth the same', Array(1000).fill(100)],
  ['a few are worth more than the many', [...Array(900).fill(100), ...Array(100).fill(200)]],
  [
    'one is worth ten thousand times as much',
    [...Array.from({ length: 999 }, (_, n) => 1 + n / 10), 1_000_000],
  ],
])('the budget is used where %s', async (_case, values: number[]) => {
  const lists = values.map((value) => [{ offer: 0, value }]);
  const { used, value } = await share(lists, [places(500)]);
  // Who is drawn among equals is chance: some places may stay free, or those who come last go without.
  expect(used[0]).toBeGreaterThan(450);
  const best = [...values].sort((a, b) => b - a).slice(0, 500);
  expect(value).toBeGreaterThan(0.93 * best.reduce((sum, one) => sum + one, 0));
});

test('on random lists it comes within a few per cent of the best assignment, and beats first come, first served', async () => {
  for (let seed = 1; seed <= 5; seed++) {
    const rng = createRng('share', seed);
    const lists = Array.from({ length: 400 }, () =>
      [0, 1, 2]
        .filter(() => rng.chance(0.7))
        .map((offer) => ({ offer, value: 100 * rng.exponential() }))
        .sort((a, b) => b.value - a.value),
    );
    const supplies = [places(40), places(25), places(60)];
    const { value, used } = await share(lists, supplies);
    const best = bestAssignment(lists, [40, 25, 60]);
    expect(value).toBeGreaterThan(0.97 * best);
    for (const [o, count] of [40, 25, 60].entries()) expect(used[o]).toBeLessThanOrEqual(count);
    expect(value).toBeLessThanOrEqual(best + 1e-6);
    expect(value).toBeGreaterThan(1.2 * firstComeFirstServed(lists, [40, 25, 60]));
  }
});

test('of two offers each, every one is shared out, and one discount does not take the place of another', async () => {
  const rng = createRng('two', 1);
  const lists = Array.from({ length: 600 }, () =>
    [0, 1, 2, 3]
      .map((offer) => ({ offer, value: 100 * rng.exponential() }))
      .sort((a, b) => b.value - a.value),
  );
  const supplies = [places(60), places(120), places(90), places(10_000)];
  const free = await share(lists, supplies, { limit: 2, exclusive: [] });
  // Of three in six hundred that are short, all that there is goes, to those to whom it is worth most.
  expect(free.used.slice(0, 3)).toEqual([60, 120, 90].map((count) => expect.closeTo(count, -1)));
  for (const [o, count] of [60, 120, 90].entries()) expect(free.used[o]).toBeLessThanOrEqual(count);
  const worth = (offer: number) => (wanted: Wanted[]) => wanted.find((w) => w.offer === offer)?.value ?? 0;
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const having = lists.filter((_, customer) => free.gets[customer]?.includes(1));
  expect(mean(having.map(worth(1)))).toBeGreaterThan(2 * mean(lists.map(worth(1))));

  const discounts = await share(lists, supplies, { limit: 2, exclusive: [true, true, false, false] });
  expect(discounts.gets.filter((has) => has.includes(0) && has.includes(1))).toEqual([]);
  expect(discounts.used.slice(0, 3)).toEqual([60, 120, 90].map((count) => expect.closeTo(count, -1)));
  expect(discounts.value).toBeGreaterThan(0.97 * free.value);
});

function firstComeFirstServed(lists: Wanted[][], left: number[]): number {
  let value = 0;
  for (const wanted of lists) {
    const choice = wanted.find(({ offer }) => (left[offer] ?? 0) > 0);
    if (choice === undefined) continue;
    left[choice.offer] = (left[choice.offer] ?? 0) - 1;
    value += choice.value;
  }
  return value;
}

/** Successive longest paths (exact): adds one assignment after the other along the path that gains most. */
function bestAssignment(lists: Wanted[][], places: number[]): number {
  const assigned: (number | undefined)[] = lists.map(() => undefined);
  const worthOf = (customer: number, offer: number) =>
    lists[customer]?.find((wanted) => wanted.offer === offer)?.value;
  const used = places.map(() => 0);
  let total = 0;
  for (;;) {
    // Bellman–Ford over offers: gain of freeing a place of each by moving one of its customers on.
    const offers = places.length;
    const gain: number[] = places.map((count, o) => ((used[o] ?? 0) < count ? 0 : Number.NEGATIVE_INFINITY));
    const via: ({ customer: number; to: number } | undefined)[] = places.map(() => undefined);
    for (let round = 0; round < offers; round++)
      for (let customer = 0; customer < lists.length; customer++) {
        const from = assigned[customer];
        if (from === undefined) continue;
        const own = worthOf(customer, from) ?? 0;
        for (const { offer: to, value } of lists[customer] ?? []) {
          const through = value - own + (gain[to] ?? 0);
          if (to !== from && through > (gain[from] ?? 0) + 1e-12) {
            gain[from] = through;
            via[from] = { customer, to };
          }
        }
        if (-own > (gain[from] ?? 0) + 1e-12) {
          gain[from] = -own;
          via[from] = { customer, to: -1 };
        }
      }
    let best = 1e-9;
    let start: { customer: number; offer: number } | undefined;
    for (let customer = 0; customer < lists.length; customer++)
      if (assigned[customer] === undefined)
        for (const { offer, value } of lists[customer] ?? [])
          if (value + (gain[offer] ?? 0) > best) {
            best = value + (gain[offer] ?? 0);
            start = { customer, offer };
          }
    if (start === undefined) return total;
    total += best;
    let { customer, offer } = start;
    for (;;) {
      const next = via[offer];
      assigned[customer] = offer;
      if (next === undefined) {
        used[offer] = (used[offer] ?? 0) + 1;
        break;
      }
      customer = next.customer;
      if (next.to === -1) {
        assigned[customer] = undefined;
        break;
      }
      offer = next.to;
    }
  }
}
