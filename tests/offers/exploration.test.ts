import fc from 'fast-check';
import { expect, test } from 'vitest';
import { normalCdf } from '../../src/algorithms/normal-distribution.ts';
import { EXPLORATION_METHODS, Exploration } from '../../src/domain/decision-policy.ts';
import {
  actionProbabilities,
  drawAction,
  explorationCost,
  greedyAction,
  leastExplorationCost,
  type UncertainValue,
} from '../../src/offers/exploration.ts';

const by = (input: object) => Exploration.parse(input);
const sum = (numbers: Iterable<number>) => [...numbers].reduce((all, one) => all + one, 0);

test('without exploration the best is done, or nothing where nothing is worth it', () => {
  const none = by({ method: 'none' });
  expect([
    ...actionProbabilities(
      [
        { mean: 2, deviation: 9 },
        { mean: 1, deviation: 9 },
      ],
      none,
    ),
  ]).toEqual([1, 0, 0]);
  expect([...actionProbabilities([{ mean: 0, deviation: 9 }], none)]).toEqual([0, 1]);
  expect([...actionProbabilities([], none)]).toEqual([1]);
});

test('Thompson sampling makes an offer as often as it is likely to be the best', () => {
  const thompson = by({ method: 'thompson' });
  const [made = 0, nothing = 0] = actionProbabilities([{ mean: 10, deviation: 10 }], thompson);
  expect(made).toBeCloseTo(normalCdf(1), 4);
  expect(nothing).toBeCloseTo(normalCdf(-1), 4);
  // What is known for certain is not tried out.
  expect([
    ...actionProbabilities(
      [
        { mean: 10, deviation: 0 },
        { mean: 9, deviation: 0 },
      ],
      thompson,
    ),
  ]).toEqual([1, 0, 0]);
});

test('epsilon-greedy shares ε evenly by nothing and all that may be worth more', () => {
  const values = [
    { mean: 10, deviation: 1 },
    { mean: 5, deviation: 1 },
    { mean: -1, deviation: 1 },
    // Two deviations above its expectation it is still a loss.
    { mean: -9, deviation: 1 },
  ];
  const probabilities = actionProbabilities(values, by({ method: 'epsilonGreedy', epsilon: 0.2 }));
  expect([...probabilities]).toEqual([0.85, 0.05, 0.05, 0, 0.05].map((p) => expect.closeTo(p, 12)));
});

test('the cost of exploring is what is missed in expectation', () => {
  const values = [
    { mean: 10, deviation: 1 },
    { mean: -5, deviation: 9 },
  ];
  expect(explorationCost(values, [0.5, 0.25, 0.25])).toBeCloseTo(0.25 * 15 + 0.25 * 10);
  // Nothing is the best: an offer is missed money.
  expect(explorationCost([{ mean: -5, deviation: 9 }], [0.1, 0.9])).toBeCloseTo(0.5);
});

const value = fc.record({
  mean: fc.double({ min: -1000, max: 1000, noNaN: true }),
  deviation: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1000, noNaN: true })),
});
const bestFirst = fc
  .array(value, { maxLength: 40 })
  .map((values) => values.sort((a, b) => b.mean - a.mean) as UncertainValue[]);

test('whatever the values, the probabilities sum to 1, none is too small to learn from, and exploring costs', () => {
  fc.assert(
    fc.property(bestFirst, fc.constantFrom(...EXPLORATION_METHODS), (values, method) => {
      const probabilities = actionProbabilities(values, by({ method }));
      expect(probabilities).toHaveLength(values.length + 1);
      expect(sum(probabilities)).toBeCloseTo(1, 9);
      for (const p of probabilities) expect(p === 0 || p >= 0.001).toBe(true);
      expect(explorationCost(values, probabilities)).toBeGreaterThanOrEqual(0);
    }),
  );
});

test('a uniform number falls on an action in proportion to its probability', () => {
  const probabilities = [0.25, 0, 0.5, 0.25];
  expect([0, 0.2499, 0.25, 0.7499, 0.75, 1 - 2 ** -32].map((u) => drawAction(probabilities, u))).toEqual([
    0, 0, 2, 2, 3, 3,
  ]);
});

test('what drawing costs is never less than the least that is told before anything is worked out', () => {
  const value = fc.record({
    mean: fc.oneof(fc.constant(0), fc.double({ min: -500, max: 500, noNaN: true })),
    deviation: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 300, noNaN: true })),
  });
  fc.assert(
    fc.property(
      fc.array(value, { maxLength: 20 }),
      fc.constantFrom(...EXPLORATION_METHODS),
      (any, method) => {
        const values = any.sort((a, b) => b.mean - a.mean);
        const least = leastExplorationCost(values, by({ method }));
        const probabilities = actionProbabilities(values, by({ method }));
        const cost = explorationCost(values, probabilities);
        // Or nothing but the best is drawn.
        if (least > 0 && cost === 0) expect(probabilities[greedyAction(values)]).toBe(1);
        else expect(cost).toBeGreaterThanOrEqual(least);
      },
    ),
    { numRuns: 2000 },
  );
  const apart = [
    { mean: 30, deviation: 20 },
    { mean: 10, deviation: 20 },
  ];
  expect(leastExplorationCost(apart, by({ method: 'thompson' }))).toBeCloseTo(0.02, 4);
});
