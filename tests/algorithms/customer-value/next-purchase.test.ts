import { describe, expect, test } from 'vitest';
import {
  type CustomerPast,
  customerValueModel,
} from '../../../src/algorithms/customer-value/customer-value-model.ts';
import { nextPurchase, regularityOf } from '../../../src/algorithms/customer-value/next-purchase.ts';
import { createRng } from '../../../src/algorithms/rng.ts';
import { valueSettings } from './support.ts';

const pastOf = (errands: number, recencyDays: number, ageDays: number): CustomerPast => ({
  errands,
  recencyDays,
  ageDays,
  averageMarginMinor: 100,
});

test('as random as can be: the gap of a gamma-mixed exponential, whenever the last purchase was', () => {
  // r + x = 3.2, α + T = 25 + 90: P(gap > t) = (1 + t / 115)^−3.2.
  const model = customerValueModel(valueSettings({ regularity: 1 }));
  const { early, middle, late } = nextPurchase(model, pastOf(3, 60, 90));
  const longer = (t: number) => (1 + t / 115) ** -3.2;
  expect(longer(early)).toBeCloseTo(0.9, 6);
  expect(longer(middle)).toBeCloseTo(0.5, 6);
  expect(longer(late)).toBeCloseTo(0.1, 6);
});

test('a regular customer is expected in her rhythm: soon where it is due, later where it is not', () => {
  const model = customerValueModel(valueSettings({ regularity: 8 }));
  // Twenty gaps of ten days.
  const bought = nextPurchase(model, pastOf(21, 200, 200));
  expect(bought.middle).toBeGreaterThan(8);
  expect(bought.middle).toBeLessThan(12);
  const due = nextPurchase(model, pastOf(21, 200, 210));
  expect(due.middle).toBeLessThan(0.4 * bought.middle);
});

describe.each([1, 3, 8])('regularity %d', (k) => {
  const rng = createRng(2, 'gaps', k);
  const { r, alpha } = { r: 1.2, alpha: 25 };

  test('80 in 100 come within the interval, 10 before it and 10 after it, wherever they are in their gap', () => {
    const model = customerValueModel(valueSettings({ regularity: k }));
    const customers = 6000;
    let [before, beforeMiddle, after] = [0, 0, 0];
    for (let c = 0; c < customers; c++) {
      const lambda = rng.gamma(r) / alpha;
      const until = 100 + rng.nextInt(300);
      let [at, last, errands] = [0, 0, 1];
      for (;;) {
        at += rng.gamma(k) / (k * lambda);
        if (at > until) break;
        last = at;
        errands++;
      }
      const { early, middle, late } = nextPurchase(model, pastOf(errands, last, until));
      const came = at - until;
      if (came < early) before++;
      if (came < middle) beforeMiddle++;
      if (came > late) after++;
    }
    expect(Math.abs(before / customers - 0.1)).toBeLessThan(0.015);
    expect(Math.abs(beforeMiddle / customers - 0.5)).toBeLessThan(0.025);
    expect(Math.abs(after / customers - 0.1)).toBeLessThan(0.015);
  });

  test('comes back from the shares of consecutive gaps', () => {
    const shares = Array.from({ length: 4000 }, () => {
      const [one, other] = [rng.gamma(k), rng.gamma(k)];
      return one / (one + other);
    });
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
    const variance = shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / shares.length;
    expect(regularityOf(variance)).toBe(k);
  });
});

test('a regularity is at least 1 and at most 8', () => {
  expect(regularityOf(0.2)).toBe(1);
  expect(regularityOf(0)).toBe(8);
});

test('who was last seen years ago still gets a date', () => {
  const model = customerValueModel(valueSettings({ regularity: 8 }));
  for (const past of [pastOf(1, 0, 8000), pastOf(500, 300, 8000), pastOf(1, 0, 0)]) {
    const { early, middle, late } = nextPurchase(model, past);
    for (const days of [early, middle, late]) expect(days).toSatisfy(Number.isFinite);
    expect(early).toBeLessThanOrEqual(middle);
    expect(middle).toBeLessThanOrEqual(late);
  }
});
