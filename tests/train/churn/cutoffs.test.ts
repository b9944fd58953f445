import fc from 'fast-check';
import { expect, test } from 'vitest';
import { churnCutoffs } from '../../../src/train/churn/cutoffs.ts';

test('each set ends where its labels end, half a horizon between those learnt from', () => {
  // History 0 … 100, horizon 10: test at 101 − 10, calibration and learning one horizon earlier each.
  expect(churnCutoffs(0, 100, 10)).toEqual({
    learn: [71 - 25, 71 - 20, 71 - 15, 71 - 10, 71 - 5, 71],
    calibrate: 81,
    test: 91,
  });
});

test('no label of a set reaches into a later one, and none beyond the history', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 5, max: 50 }), (horizon, times) => {
      const { learn, calibrate, test: tested } = churnCutoffs(0, times * horizon, horizon);
      expect(learn.length).toBeGreaterThan(0);
      expect(learn[0]).toBeGreaterThanOrEqual(horizon);
      expect(learn.at(-1)! + horizon).toBeLessThanOrEqual(calibrate);
      expect(calibrate + horizon).toBeLessThanOrEqual(tested);
      // The last instant that a test label looks at is the last event.
      expect(tested + horizon - 1).toBe(times * horizon);
    }),
  );
});

test('too short a history is refused', () => {
  expect(() => churnCutoffs(0, 35, 10)).toThrow('shorter than five horizons');
});
