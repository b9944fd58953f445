import { expect, test } from 'vitest';
import { createRng } from '../../../src/algorithms/rng.ts';
import { budgetPrices, type Supply, shareOut, type Wanted } from '../../../src/train/batch/share-budgets.ts';

const places = (count: number): Supply => ({ amountMinor: Number.POSITIVE_INFINITY, count, costMinor: 1 });

async function share(lists: Wanted[][], supplies: Supply[]) {
  const prices = await budgetPrices(() => lists, supplies);
  let value = 0;
  const used = supplies.map(() => 0);
  const gets: (number | undefined)[] = [];
  for await (const offer of shareOut(() => lists, prices, supplies)) {
    const wanted = lists[gets.length] ?? [];
    gets.push(offer);
    const choice = offer === undefined ? wanted[0] : wanted.find((one) => one.offer === offer);
    if (choice === undefined) continue;
    used[choice.offer] = (used[choice.offer] ?? 0) + 1;
    value += choice.value;
  }
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
  expect(gets).toEqual([-1, 0, 0]);
});

test('nothing is left: nobody gets it', async () => {
  const lists = [[{ offer: 0, value: 10 }]];
  expect((await share(lists, [places(0)])).gets).toEqual([-1]);
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
