import { expect, test } from 'vitest';
import { createRng } from '../../../src/algorithms/rng.ts';
import { evaluateClv, holdoutFigures } from '../../../src/evaluation/customer-base/evaluate-clv.ts';
import { drawParetoNbd, drawSpend } from '../../support/customer-base.ts';

test('correlation and mean absolute error by hand', () => {
  // Deviations −1, 0, 1 and −2, 1, 1: 3 / √(2 · 6); errors 1, 1, 0
  const figures = holdoutFigures(Float64Array.of(1, 2, 3), Float64Array.of(0, 3, 3));
  expect(figures.holdoutCorrelation).toBeCloseTo(3 / Math.sqrt(12), 14);
  expect(figures.mae).toBeCloseTo(2 / 3, 14);
  expect(figures.holdoutCustomers).toBe(3);
  expect(holdoutFigures(Float64Array.of(1, 1), Float64Array.of(0, 3)).holdoutCorrelation).toBeNull();
});

test('the model that made the customers foretells them better than the mean does, and their spend', () => {
  const drawn = drawParetoNbd({ r: 0.6, alpha: 8, s: 0.7, beta: 12 }, 4000, createRng(21, 'clv'), 39);
  const observation = {
    purchases: { frequency: drawn.frequency, recency: drawn.recency, age: drawn.age },
    holdout: { length: 39, lastDay: 0, purchases: drawn.future },
  };
  const mean = drawn.future.reduce((sum, value) => sum + value, 0) / drawn.future.length;
  const naive = holdoutFigures(new Float64Array(4000).fill(mean), drawn.future);
  for (const model of ['bg-nbd', 'mbg-nbd', 'pareto-nbd'] as const) {
    const line = evaluateClv(model, observation, observation);
    expect(line).toMatchObject({ model, customers: 4000, holdoutCustomers: 4000 });
    expect(line.holdoutCorrelation).toBeGreaterThan(0.5);
    expect(line.mae).toBeLessThan(naive.mae);
  }
  const spent = drawSpend({ p: 6, q: 4, v: 15 }, 4000, createRng(22, 'clv'));
  const came = spent.expectedSpend.map((value, row) => (row % 2 === 0 ? value : Number.NaN));
  const withSpend = { ...observation, spend: spent, holdout: { ...observation.holdout, averageSpend: came } };
  const line = evaluateClv('gamma-gamma', withSpend, withSpend);
  expect(line.holdoutCustomers).toBe(
    [...came.keys()].filter((row) => row % 2 === 0 && spent.frequency[row]! > 0).length,
  );
  expect(line.holdoutCorrelation).toBeGreaterThan(0.8);
});

test('gamma-gamma is refused where nothing is known of spend', () => {
  const purchases = { frequency: Float64Array.of(1), recency: Float64Array.of(1), age: Float64Array.of(2) };
  expect(() => evaluateClv('gamma-gamma', { purchases })).toThrow('needs what customers spent');
  const spend = { frequency: purchases.frequency, averageSpend: Float64Array.of(0) };
  expect(() => evaluateClv('gamma-gamma', { purchases, spend })).toThrow('there are none');
});
