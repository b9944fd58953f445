import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LoggedActions } from '../../../src/algorithms/off-policy/logged-actions.ts';
import { effectScores, qini, upliftAtTop } from '../../../src/algorithms/off-policy/ranked-uplift.ts';
import { createRng } from '../../../src/algorithms/rng.ts';

test('effect scores by hand: of who got the action, of who got nothing, of who got another', () => {
  const log: LoggedActions = {
    action: Int32Array.of(1, 0, 2, 1),
    propensity: Float64Array.of(0.5, 0.25, 0.25, 0.5),
    reward: Float64Array.of(3, 1, 9, 5),
  };
  const model = (_row: number, action: number) => [1, 2, 4][action]!;
  const scores = effectScores(log, 0, Int32Array.of(1, 2, 1, 0), model);
  // 2 − 1 + (3 − 2)/0.5; 4 − 1 − (1 − 1)/0.25; 2 − 1; nothing over nothing
  expect([...scores]).toEqual([3, 3, 1, 0]);
});

test('the top half of four, by score; ties at the edge count in part', () => {
  const effects = Float64Array.of(4, 2, 0, -2);
  expect(upliftAtTop(effects, { score: Float64Array.of(9, 8, 7, 6) }, 0.5).value).toBe(3);
  expect(upliftAtTop(effects, { score: Float64Array.of(6, 7, 8, 9) }, 0.5).value).toBe(-1);
  // 4 whole, and a third each of 2, 0 and −2.
  expect(upliftAtTop(effects, { score: Float64Array.of(9, 1, 1, 1) }, 0.5).value).toBeCloseTo(2, 12);
  expect(upliftAtTop(effects, { score: new Float64Array(4) }, 0.1).value).toBeCloseTo(1, 12);
});

test('Qini by hand: the area between the curve and the chord', () => {
  // Q at 0, ½, 1 is 0, 4/2, 0: the area is (0 + 2)/2 · ½ + (2 + 0)/2 · ½ = 1, the chord is flat.
  expect(qini(Float64Array.of(4, -4), { score: Float64Array.of(2, 1) })).toBe(1);
  expect(qini(Float64Array.of(4, -4), { score: Float64Array.of(1, 2) })).toBe(-1);
});

test('a ranking of equal scores has a Qini of 0, and the mean as its uplift, whatever the share', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 2, maxLength: 40 }),
      fc.double({ min: 0.01, max: 1, noNaN: true }),
      (effects, share) => {
        const values = Float64Array.from(effects);
        const score = new Float64Array(effects.length);
        const mean = effects.reduce((sum, value) => sum + value, 0) / effects.length;
        expect(qini(values, { score })).toBeCloseTo(0, 9);
        expect(upliftAtTop(values, { score }, share).value).toBeCloseTo(mean, 9);
      },
    ),
  );
});

describe('coverage', () => {
  test('the true uplift of the top fifth is inside the interval in 95 % of 300 logs', () => {
    // Three actions at 1/3; action 1 brings x to a customer, and x is what is ranked by. The top fifth: E[x | x > 0.8] = 0.9.
    const inside = Array.from({ length: 300 }, (_, n) => {
      const rng = createRng(6, 'uplift', n);
      const x = Float64Array.from({ length: 1500 }, () => rng.next());
      const action = Int32Array.from(x, () => rng.nextInt(3));
      const log: LoggedActions = {
        action,
        propensity: new Float64Array(x.length).fill(1 / 3),
        reward: x.map((value, row) => (action[row] === 1 ? value : 0) + rng.normal()),
      };
      const effects = effectScores(log, 0, new Int32Array(x.length).fill(1), (_row, a) => 0.3 * a);
      const { lower, upper } = upliftAtTop(effects, { score: x }, 0.2);
      return lower <= 0.9 && 0.9 <= upper;
    }).filter(Boolean).length;
    // 285 ± 3 · √(300 · 0.95 · 0.05) = ± 11.3
    expect(inside).toBeGreaterThan(273);
    expect(inside).toBeLessThan(297);
  });
});
