import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decayedPurchases } from '../../src/algorithms/decayed-purchases.ts';

const day = 86_400_000;
const now = 1000 * day;

test('one purchase counts half after the half-life, a quarter after two', () => {
  expect(decayedPurchases(1, now - 30 * day, now - 30 * day, now, 30)).toBeCloseTo(1 / 2, 12);
  expect(decayedPurchases(1, now - 60 * day, now - 60 * day, now, 30)).toBeCloseTo(1 / 4, 12);
});

test('several count as if evenly spaced between the first and the last', () => {
  // 0, 30 and 60 days old
  expect(decayedPurchases(3, now - 60 * day, now, now, 30)).toBeCloseTo(1 + 1 / 2 + 1 / 4, 12);
});

test('a purchase after now has no age', () => {
  expect(decayedPurchases(1, now + day, now + day, now, 30)).toBe(1);
});

test('agrees with the sum, term by term, whatever the gap', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60 }),
      fc.double({ min: 0, max: 400, noNaN: true }),
      fc.double({ min: 0, max: 40, noNaN: true }),
      fc.double({ min: 1, max: 400, noNaN: true }),
      (count, age, gap, halfLifeDays) => {
        const lastAt = now - age * day;
        const firstAt = lastAt - (count - 1) * gap * day;
        const terms = Array.from({ length: count }, (_, n) => 2 ** (-(age + n * gap) / halfLifeDays));
        const sum = terms.reduce((total, term) => total + term, 0);
        expect(decayedPurchases(count, firstAt, lastAt, now, halfLifeDays) / sum).toBeCloseTo(1, 5);
      },
    ),
  );
});
