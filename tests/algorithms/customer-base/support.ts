import { expect } from 'vitest';
import type { LogLikelihood } from '../../../src/algorithms/customer-base/climb.ts';
import type { PurchaseModel } from '../../../src/algorithms/customer-base/purchase-model.ts';
import type { PurchaseSummary } from '../../../src/algorithms/customer-base/purchase-summary.ts';
import type { DrawnCustomers } from '../../support/customer-base.ts';

/** Rows of [x, t_x, T]. */
export function summaryOf(rows: readonly (readonly [number, number, number])[]): PurchaseSummary {
  return {
    frequency: Float64Array.from(rows, ([x]) => x),
    recency: Float64Array.from(rows, ([, tx]) => tx),
    age: Float64Array.from(rows, ([, , T]) => T),
  };
}

/** Holds a gradient to central differences of the value. */
export function expectGradient(logLikelihood: LogLikelihood, parameters: readonly number[]): void {
  const at = Float64Array.from(parameters, Math.log);
  const gradient = new Float64Array(at.length);
  logLikelihood(at, gradient);
  const step = 1e-5;
  for (let i = 0; i < at.length; i++) {
    const moved = (by: number) =>
      logLikelihood(
        at.map((x, j) => (j === i ? x + by : x)),
        new Float64Array(at.length),
      );
    const difference = (moved(step) - moved(-step)) / (2 * step);
    expect(Math.abs(gradient[i]! - difference)).toBeLessThan(1e-6 * (1 + Math.abs(difference)));
  }
}

/** Customer bases on which fits tend to fail. Whatever their parameters, everything that is asked must be a number. */
export const hardBases: Readonly<Record<string, PurchaseSummary>> = {
  'one customer': summaryOf([[2, 10, 30]]),
  'one customer who bought today': summaryOf([[0, 0, 0]]),
  'nobody with a repeat purchase': summaryOf(Array.from({ length: 200 }, (_, i) => [0, 0, 20 + (i % 13)])),
  'all the same': summaryOf(Array.from({ length: 200 }, () => [5, 20, 30])),
  'all the same and active to the end': summaryOf(Array.from({ length: 200 }, () => [5, 30, 30])),
  'very many purchases': summaryOf([
    [100_000, 299.9, 300],
    [80_000, 120, 300],
    [3000, 290, 300],
    [0, 0, 300],
    [1, 1e-6, 300],
  ]),
  'times in milliseconds': summaryOf([
    [3, 4e9, 9e9],
    [0, 0, 9e9],
    [1, 1e8, 8e9],
    [12, 7.9e9, 8e9],
  ]),
};

export function expectFinite<Name extends string>(
  model: PurchaseModel<Name>,
  summary: PurchaseSummary,
): void {
  const { parameters, standardErrors, logLikelihood } = model.fit(summary);
  expect(logLikelihood).toSatisfy(Number.isFinite);
  for (const value of Object.values<number>(parameters)) {
    expect(value).toSatisfy(Number.isFinite);
    expect(value).toBeGreaterThan(0);
  }
  for (const error of Object.values<number | null>(standardErrors))
    if (error !== null) expect(error).toSatisfy((value: number) => value >= 0 && Number.isFinite(value));
  const outlook = model.given(parameters);
  const longest = Math.max(1, ...summary.age);
  for (let row = 0; row < summary.frequency.length; row++) {
    const past = [summary.frequency[row]!, summary.recency[row]!, summary.age[row]!] as const;
    const alive = outlook.probabilityAlive(...past);
    expect(alive).toBeGreaterThanOrEqual(0);
    expect(alive).toBeLessThanOrEqual(1);
    for (const horizon of [0, longest / 10, 10 * longest]) {
      const none = outlook.noPurchaseProbability(...past, horizon);
      expect(none).toBeGreaterThanOrEqual(0);
      expect(none).toBeLessThanOrEqual(1);
      const purchases = outlook.expectedPurchases(...past, horizon);
      expect(purchases).toSatisfy(Number.isFinite);
      // At least one purchase is at most as probable as purchases are expected.
      expect(purchases).toBeGreaterThanOrEqual((1 - none) * (1 - 1e-9));
      // A count's square is at least the count.
      const squared = outlook.squaredPurchases(...past, horizon);
      expect(squared).toSatisfy(Number.isFinite);
      expect(squared).toBeGreaterThanOrEqual(purchases * (1 - 1e-6));
    }
  }
}

/** Holds a fit to what customers were drawn from: `precision` is the greatest standard error, over the parameter. */
export function expectTruth<Name extends string>(
  model: PurchaseModel<Name>,
  drawn: DrawnCustomers,
  truth: Readonly<Record<Name, number>>,
  precision: number,
): void {
  const { parameters, standardErrors, converged } = model.fit(drawn);
  expect(converged).toBe(true);
  for (const name of Object.keys(truth) as Name[]) {
    expect(Math.abs(parameters[name] - truth[name])).toBeLessThan(3.5 * standardErrors[name]!);
    // Told well enough for that to mean something.
    expect(standardErrors[name]!).toBeLessThan(precision * truth[name]);
  }
}

/** Holds what is expected of customers to what became of them, over all, and for frequent and rare buyers; `horizon` as they were drawn. */
export function expectFuture<Name extends string>(
  model: PurchaseModel<Name>,
  drawn: DrawnCustomers,
  truth: Readonly<Record<Name, number>>,
  horizon: number,
): void {
  const outlook = model.given(truth);
  const pastOf = (row: number) => [drawn.frequency[row]!, drawn.recency[row]!, drawn.age[row]!] as const;
  const rows = [...drawn.age.keys()];
  for (const within of [
    rows,
    rows.filter((row) => drawn.frequency[row] === 0),
    rows.filter((row) => drawn.frequency[row]! > 3),
  ]) {
    const total = (value: (row: number) => number) => within.reduce((sum, row) => sum + value(row), 0);
    const expected = total((row) => outlook.expectedPurchases(...pastOf(row), horizon));
    // Purchases of one customer vary by several times their mean: 6 √mean a customer is a wide guess at it.
    expect(Math.abs(total((row) => drawn.future[row]!) - expected)).toBeLessThan(6 * Math.sqrt(expected));
    const squared = total((row) => outlook.squaredPurchases(...pastOf(row), horizon));
    expect(total((row) => drawn.future[row]! ** 2) / squared).toBeGreaterThan(0.9);
    expect(total((row) => drawn.future[row]! ** 2) / squared).toBeLessThan(1.1);
    const alive = total((row) => outlook.probabilityAlive(...pastOf(row)));
    expect(Math.abs(total((row) => drawn.alive[row]!) - alive)).toBeLessThan(2 * Math.sqrt(within.length));
    const none = total((row) => outlook.noPurchaseProbability(...pastOf(row), horizon));
    expect(Math.abs(total((row) => Number(drawn.future[row] === 0)) - none)).toBeLessThan(
      2 * Math.sqrt(within.length),
    );
  }
}
