import fc from 'fast-check';
import { expect, test } from 'vitest';
import { digammaRise, logGamma, logRising } from '../../../src/algorithms/customer-base/gamma.ts';

test('ln Γ: factorials, halves, and large arguments', () => {
  expect(logGamma(1)).toBeCloseTo(0, 14);
  // Γ(7) = 6! = 720
  expect(logGamma(7)).toBeCloseTo(Math.log(720), 13);
  // Γ(½) = √π
  expect(logGamma(0.5)).toBeCloseTo(0.5 * Math.log(Math.PI), 13);
  // Γ(0.001) = Γ(1.001) / 0.001, and ln Γ(1.001) = −γ / 1000 + π² / 12 / 1000² but for 4e-10
  expect(logGamma(0.001)).toBeCloseTo(Math.log(1000) - 0.0005772156649 + Math.PI ** 2 / 12e6, 9);
});

test('ln Γ(a + n) − ln Γ(a) is the logarithm of a (a + 1) … (a + n − 1), on both sides of the series', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-6, max: 1e8, noNaN: true }), fc.integer({ min: 0, max: 300 }), (a, n) => {
      let [log, inverses] = [0, 0];
      for (let i = 0; i < n; i++) {
        log += Math.log(a + i);
        inverses += 1 / (a + i);
      }
      expect(Math.abs(logRising(a, n) - log)).toBeLessThan(1e-12 * (1 + Math.abs(log)));
      expect(Math.abs(digammaRise(a, n) - inverses)).toBeLessThan(1e-12 * (1 + inverses));
    }),
  );
});

test('differences keep their digits where the two logarithms would not', () => {
  // (1e8)(1e8 + 1)…, 20 factors: 20 ln 1e8 + Σ i / 1e8 but for 1e-13
  expect(logRising(1e8, 20)).toBeCloseTo(20 * Math.log(1e8) + 190e-8, 11);
  // Σ 1 / (1e8 + i) = 20e-8 − Σ i · 1e-16
  expect(digammaRise(1e8, 20)).toBeCloseTo(20e-8 - 190e-16, 18);
});

test('fractions: Γ(a + n) / Γ(a) = Γ(a + n + 1) / Γ(a) / (a + n)', () => {
  for (const [a, n] of [
    [0.3, 0.7],
    [9.95, 0.06],
    [4, 1000.5],
  ] as const) {
    expect(logRising(a, n)).toBeCloseTo(logRising(a, n + 1) - Math.log(a + n), 10);
    expect(logRising(a, n)).toBeCloseTo(logGamma(a + n) - logGamma(a), 10);
    const step = 1e-5;
    const slope = (logRising(a + step, n) - logRising(a - step, n)) / (2 * step);
    expect(digammaRise(a, n)).toBeCloseTo(slope, 6);
  }
});
