import fc from 'fast-check';
import { expect, test } from 'vitest';
import { baseAcceptPropensity, liftPropensity } from '../../src/offers/accept-propensity.ts';

test('an offer that was never made has the prior of its kind', () => {
  expect(baseAcceptPropensity('percentOff', { made: 0, redeemed: 0 })).toBeCloseTo(0.05);
  expect(baseAcceptPropensity('content', { made: 0, redeemed: 0 })).toBeCloseTo(0.01);
});

test('counts outweigh the prior, which counts as 50 decisions', () => {
  expect(baseAcceptPropensity('percentOff', { made: 50, redeemed: 10 })).toBeCloseTo((10 + 0.05 * 50) / 100);
  expect(baseAcceptPropensity('percentOff', { made: 9950, redeemed: 1990 })).toBeCloseTo(
    (1990 + 2.5) / 10_000,
  );
});

test('more redemptions than decisions (a counter was lost) count as all redeemed', () => {
  expect(baseAcceptPropensity('percentOff', { made: 50, redeemed: 80 })).toBeCloseTo((50 + 2.5) / 100);
});

test('a lift multiplies the odds: 1/5 lifted by 2 has odds 2/4, which is 1/3', () => {
  expect(liftPropensity(1 / 5, 2)).toBeCloseTo(1 / 3);
  expect(liftPropensity(0.3, 1)).toBeCloseTo(0.3);
  expect(liftPropensity(1, 0.25)).toBe(1);
});

test('a lifted propensity stays a probability and keeps the order', () => {
  const probability = fc.double({ min: 0, max: 1, noNaN: true });
  const lift = fc.double({ min: 0.25, max: 4, noNaN: true });
  fc.assert(
    fc.property(probability, lift, lift, (p, a, b) => {
      const lower = liftPropensity(p, Math.min(a, b));
      const upper = liftPropensity(p, Math.max(a, b));
      expect(lower).toBeGreaterThanOrEqual(0);
      expect(upper).toBeLessThanOrEqual(1);
      expect(lower).toBeLessThanOrEqual(upper);
    }),
  );
});
