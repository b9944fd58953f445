import { describe, expect, test } from 'vitest';
import {
  ANNOYANCE,
  PERSUADED_DEVIATION,
  persuadedShareOf,
} from '../../../src/algorithms/offer-model/assumed-effects.ts';
import { fitPersuasion, shareOfKind } from '../../../src/algorithms/offer-model/persuasion.ts';
import { createRng } from '../../../src/algorithms/rng.ts';

const kinds = ['percentOff', 'percentOff', 'gift', 'freeDelivery'];

/**
 * The first three offers, or nothing, to customers of whom one or three orders are expected within the window. Those who are easily annoyed accept more, so that
 * what annoyance leaves out hides what the offers persuade.
 */
function draw(rows: number, share: readonly number[], leftOut: number) {
  const rng = createRng(5, 'persuasion');
  const offer = Int32Array.from({ length: rows }, () => rng.nextInt(6) - 3);
  const annoyed = Float64Array.from({ length: rows }, () => 0.6 * rng.next());
  const made = (row: number) => offer[row]! >= 0;
  const accepts = annoyed.map((own, row) => (made(row) ? 0.1 + 0.5 * own : 0));
  const dismisses = annoyed.map((own, row) => (made(row) ? own : 0));
  const expected = annoyed.map((_own, row) => (row % 2 === 0 ? 1 : 3));
  const orders = annoyed.map((own, row) => {
    const lambda = expected[row]! + own - leftOut * dismisses[row]! * expected[row]!;
    const further = rng.chance((share[offer[row]!] ?? 0) * accepts[row]!) ? 1 : 0;
    return rng.poisson(Math.max(0, lambda)) + further;
  });
  return {
    rows,
    offer,
    accepts,
    dismisses,
    annoyed,
    orders,
    expected,
    weight: new Float64Array(rows).fill(1),
  };
}

describe('of those who redeem, the share that an offer persuades', () => {
  test('is as assumed of its kind where nothing is known', () => {
    const { share, leftOut, deviation } = fitPersuasion(draw(0, [], 0), kinds);
    expect([...share]).toEqual(kinds.map(persuadedShareOf));
    expect(deviation[0]).toBeCloseTo(PERSUADED_DEVIATION, 10);
    expect(leftOut).toBe(ANNOYANCE.leftOut);
  });

  test('is learnt from the log, apart from the orders that who is annoyed leaves out', () => {
    const truth = [0.9, 0.3, 0.1];
    const { share, deviation, leftOut, leftOutDeviation } = fitPersuasion(draw(200_000, truth, 0.4), kinds);
    for (const [o, own] of truth.entries()) {
      expect(Math.abs(share[o]! - own)).toBeLessThan(0.12);
      expect(deviation[o]).toBeLessThan(0.6 * PERSUADED_DEVIATION);
    }
    expect(Math.abs(leftOut - 0.4)).toBeLessThan(4 * leftOutDeviation);
    expect(leftOutDeviation).toBeLessThan(0.5 * ANNOYANCE.deviation);
    // Never made.
    expect(share[3]).toBeCloseTo(persuadedShareOf('freeDelivery'), 10);
  });

  test('of an offer that the log has not is that of its kind, less surely; of an unknown kind as assumed', () => {
    const learnt = fitPersuasion(draw(200_000, [0.8, 0.8, 0.1], 0.2), kinds);
    const known = shareOfKind(learnt, kinds, 'percentOff');
    expect(known.share).toBeGreaterThan(persuadedShareOf('percentOff') + 0.1);
    expect(known.deviation).toBeGreaterThan(learnt.deviation[0]!);
    expect(shareOfKind(learnt, kinds, 'bundle')).toEqual({
      share: persuadedShareOf('bundle'),
      deviation: PERSUADED_DEVIATION,
    });
  });
});
