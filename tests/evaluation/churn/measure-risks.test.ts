import { expect, test } from 'vitest';
import { measureRisks } from '../../../src/evaluation/churn/measure-risks.ts';

test('all six measures of one set of risks', () => {
  const figures = measureRisks(Float64Array.of(0.9, 0.6, 0.4, 0.1), Uint8Array.of(1, 0, 1, 0));
  expect(figures.auc).toBe(3 / 4);
  expect(figures.prAuc).toBeCloseTo((1 + 2 / 3) / 2, 12);
  expect(figures.brier).toBeCloseTo((0.1 ** 2 + 0.6 ** 2 + 0.6 ** 2 + 0.1 ** 2) / 4, 12);
  expect(figures.logLoss).toBeCloseTo(-(2 * Math.log(0.9) + 2 * Math.log(0.4)) / 4, 12);
  // Four bins of one customer each.
  expect(figures.ece).toBeCloseTo((0.1 + 0.6 + 0.6 + 0.1) / 4, 12);
  expect(figures.liftTopDecile).toBe(2);
});

test('a surprise to somebody who was sure costs much, not all', () => {
  const { logLoss, brier } = measureRisks(Float64Array.of(1, 0), Uint8Array.of(0, 0));
  expect(brier).toBe(1 / 2);
  expect(logLoss).toBeGreaterThan(5);
  expect(logLoss).toBeLessThan(10);
});
