import { expect, test } from 'vitest';
import { sequenceBound, sequentialDifference } from '../../src/algorithms/confidence-sequence.ts';
import { z95 } from '../../src/algorithms/proportion-interval.ts';
import { createRng, type Rng } from '../../src/algorithms/rng.ts';

/** What a look at the two groups sees, and how far the clock is. */
type Look = { a: number[]; b: number[]; clock: number };

const looks = 100;

/** Shares of the runs in which some look's interval leaves out `truth(look)`: always valid, and of a single look. */
function missesOf(name: string, runs: number, looksOf: (rng: Rng) => Generator<Look & { truth: number }>) {
  let [sequential, fixed] = [0, 0];
  for (let run = 0; run < runs; run++) {
    let [missed, missedByOne] = [false, false];
    for (const { a, b, clock, truth } of looksOf(createRng(name, run))) {
      const [first, second] = [momentsOf(a), momentsOf(b)];
      const always = sequentialDifference(first, second, clock);
      if (always === null) continue;
      missed ||= truth < always.low || truth > always.high;
      const error = second.mean - first.mean - truth;
      const half = z95 * Math.sqrt(first.variance / first.n + second.variance / second.n);
      missedByOne ||= Math.abs(error) > half;
    }
    sequential += Number(missed);
    fixed += Number(missedByOne);
  }
  // Simulated shares vary: by up to three standard deviations.
  const allowed = 0.05 + 3 * Math.sqrt((0.05 * 0.95) / runs);
  return { sequential: sequential / runs, fixed: fixed / runs, allowed };
}

function momentsOf([n = 0, sum = 0, squares = 0]: number[]) {
  const mean = sum / n;
  return { n, mean, variance: (squares - n * mean * mean) / (n - 1) };
}

test('independent answers: 100 looks keep 95 %, of which intervals for one look keep far less', () => {
  const { sequential, fixed, allowed } = missesOf('answers', 2000, function* (rng) {
    const groups = [
      [0, 0, 0],
      [0, 0, 0],
    ];
    for (let look = 1; look <= looks; look++) {
      for (let i = 0; i < 20; i++)
        for (const [g, group] of groups.entries()) {
          // Spend: four in five spend nothing, the others a skewed sum, twice as much in the second group.
          const spend = rng.chance(0.2) ? (g + 1) * rng.gamma(0.8) : 0;
          group[0]!++;
          group[1]! += spend;
          group[2]! += spend * spend;
        }
      const [a = [], b = []] = groups;
      // Where fewer than some thirty have spent, sums are not normal yet: the readout shows no interval for them either.
      if (look >= 8) yield { a, b, clock: (2 * 20 * look) / 1000, truth: 0.2 * 0.8 };
    }
  });
  expect(sequential).toBeLessThan(allowed);
  expect(fixed).toBeGreaterThan(0.2);
});

/** 2 × 300 customers, each with a rate of orders of her own; half of them come in the course of the first fifty days. */
function* customers(rng: Rng) {
  const size = 300;
  const people = Array.from({ length: 2 * size }, (_, i) => ({
    group: i % 2,
    since: i < size ? 0 : rng.next() * 50,
    rate: rng.gamma(0.7) * 0.05,
    spent: 0,
    orders: 0,
  }));
  for (let day = 1; day <= looks; day++) {
    const here = people.filter(({ since }) => since < day);
    for (const person of here) {
      const orders = rng.poisson(person.rate);
      person.orders += orders;
      for (let o = 0; o < orders; o++) person.spent += rng.gamma(2);
    }
    yield { day, here };
  }
}

function sumsOf(here: readonly { group: number }[], group: number, valueAt: (at: number) => number) {
  const sums = [0, 0, 0];
  for (const [at, person] of here.entries()) {
    if (person.group !== group) continue;
    const value = valueAt(at);
    sums[0]!++;
    sums[1]! += value;
    sums[2]! += value * value;
  }
  return sums;
}

test('money of the same customers that adds up while one looks, and customers who come meanwhile', () => {
  const { sequential, fixed, allowed } = missesOf('money', 300, function* (rng) {
    let customerDays = 0;
    for (const { day, here } of customers(rng)) {
      customerDays += here.length;
      if (day < 5) continue;
      const spent = (group: number) => sumsOf(here, group, (at) => here[at]!.spent);
      yield { a: spent(0), b: spent(1), clock: customerDays / (300 * 28), truth: 0 };
    }
  });
  expect(sequential).toBeLessThan(allowed);
  expect(fixed).toBeGreaterThan(0.2);
});

test('shares of customers who have ordered by now', () => {
  const { sequential, fixed, allowed } = missesOf('ordered', 300, function* (rng) {
    for (const { day, here } of customers(rng)) {
      const ordered = here.filter(({ orders }) => orders > 0).length;
      if (day < 5) continue;
      const share = (group: number) => sumsOf(here, group, (at) => Number(here[at]!.orders > 0));
      const odds = ordered / (here.length - ordered);
      yield { a: share(0), b: share(1), clock: (here.length * odds) / (300 * 0.25), truth: 0 };
    }
  });
  expect(sequential).toBeLessThan(allowed);
  expect(fixed).toBeGreaterThan(0.2);
});

test('the bound is least at the time that was chosen, and what it is there', () => {
  expect(sequenceBound(1)).toBeCloseTo(3.035, 3);
  for (const clock of [0.1, 0.5, 2, 10, 100]) expect(sequenceBound(clock)).toBeGreaterThan(sequenceBound(1));
  expect(sequenceBound(100)).toBeLessThan(1.2 * sequenceBound(1));
});

test('nothing is said of groups that cannot tell', () => {
  const some = { n: 10, mean: 1, variance: 1 };
  expect(sequentialDifference(some, { n: 1, mean: 1, variance: 0 }, 1)).toBeNull();
  expect(sequentialDifference({ ...some, variance: 0 }, { ...some, variance: 0 }, 1)).toBeNull();
  expect(sequentialDifference(some, some, 0)).toBeNull();
  expect(sequentialDifference(some, { ...some, mean: 3 }, 1)).toEqual({
    low: 2 - sequenceBound(1) * Math.sqrt(0.2),
    high: 2 + sequenceBound(1) * Math.sqrt(0.2),
  });
});
