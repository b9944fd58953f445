import { expect, test } from 'vitest';
import {
  gammaGamma,
  gammaGammaLogLikelihood,
  payingRows,
} from '../../../src/algorithms/customer-base/gamma-gamma.ts';
import { createRng } from '../../../src/algorithms/rng.ts';
import { drawSpend } from '../../support/customer-base.ts';
import { expectGradient } from './support.ts';

const truth = { p: 6, q: 4, v: 15 };
const drawn = drawSpend(truth, 20_000, createRng(13, 'spend'));

test('the likelihood of one customer by hand', () => {
  // p = 1, q = 1, v = 1; two purchases of 1 on average: Γ(3) / (Γ(2) Γ(1)) · 1 · (2 / 3)² · (1 / 3) = 8/27
  const outlook = gammaGamma.given({ p: 1, q: 1, v: 1 });
  expect(Math.exp(outlook.logLikelihood(2, 1))).toBeCloseTo(8 / 27, 13);
});

test('the expected spend is a mean of own and everybody’s, and finite where there is no mean', () => {
  // p = 2, q = 3, v = 10: everybody p v / (q − 1) = 10. After 4 of 20: weights q − 1 = 2 and p x = 8.
  const outlook = gammaGamma.given({ p: 2, q: 3, v: 10 });
  expect(outlook.expectedAverageSpend(0, 0)).toBeCloseTo(10, 13);
  expect(outlook.expectedAverageSpend(4, 20)).toBeCloseTo((2 * 10 + 8 * 20) / 10, 13);
  expect(gammaGamma.given({ p: 2, q: 0.5, v: 10 }).expectedAverageSpend(0, 0)).toBeCloseTo(20 / 1.5, 13);
});

test('the gradient is that of the log-likelihood', () => {
  const rows = payingRows({
    frequency: drawn.frequency.slice(0, 60),
    averageSpend: drawn.averageSpend.slice(0, 60),
  });
  for (const parameters of [
    [6, 4, 15],
    [0.3, 200, 1000],
  ])
    expectGradient(gammaGammaLogLikelihood(rows), parameters);
});

test('the parameters come back, and the expected spend with them', () => {
  const { parameters, standardErrors, customers } = gammaGamma.fit(drawn);
  expect(customers).toBe(drawn.frequency.filter((x) => x > 0).length);
  for (const [name, value] of Object.entries(truth)) {
    const key = name as keyof typeof truth;
    expect(Math.abs(parameters[key] - value)).toBeLessThan(3.5 * standardErrors[key]!);
    expect(standardErrors[key]!).toBeLessThan(0.1 * value);
  }
  const outlook = gammaGamma.given(parameters);
  const mean = (values: (row: number) => number) =>
    drawn.frequency.reduce((sum, _, row) => sum + values(row) / drawn.frequency.length, 0);
  const expected = mean((row) =>
    outlook.expectedAverageSpend(drawn.frequency[row]!, drawn.averageSpend[row]!),
  );
  // E[p / ν] = p v / (q − 1) = 30, with a variance of 30² / (q − 2): ± 3 · 30 / √2 / √20,000 = .45
  expect(Math.abs(mean((row) => drawn.expectedSpend[row]!) - expected)).toBeLessThan(0.45);
});

test.each([
  ['one customer', [1], [12]],
  ['all the same', [2, 2, 2, 2], [10, 10, 10, 10]],
  ['many purchases, of amounts far apart', [100_000, 1, 3], [1e-3, 1e9, 40]],
])('%s: everything stays finite', (_name, frequency, averageSpend) => {
  const { parameters, logLikelihood } = gammaGamma.fit({
    frequency: Float64Array.from(frequency),
    averageSpend: Float64Array.from(averageSpend),
  });
  expect(logLikelihood).toSatisfy(Number.isFinite);
  const { expectedAverageSpend } = gammaGamma.given(parameters);
  for (const [row, x] of frequency.entries())
    expect(expectedAverageSpend(x, averageSpend[row]!)).toSatisfy(
      (value: number) => Number.isFinite(value) && value > 0,
    );
});

test('without a repeat purchase there is nothing to fit', () => {
  expect(() => gammaGamma.fit({ frequency: Float64Array.of(0), averageSpend: Float64Array.of(0) })).toThrow(
    RangeError,
  );
});
