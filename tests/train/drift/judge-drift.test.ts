import { expect, test } from 'vitest';
import { createRng } from '../../../src/algorithms/rng.ts';
import { judgeCalibration, pastBounds } from '../../../src/train/drift/judge-drift.ts';

const bounds = { feature: 0.25, calibration: 0.05 };

/** `n` customers whose true risk lies `above` what is said. */
function outcomes(n: number, above: number) {
  const rng = createRng('judge drift', n, above);
  const risks = Float64Array.from({ length: n }, () => 0.1 + 0.6 * rng.next());
  return { risks, lost: Uint8Array.from(risks, (risk) => (rng.chance(risk + above) ? 1 : 0)) };
}

test('right risks are within the bound, ones that say too little are past it', () => {
  const right = outcomes(5000, 0);
  const calibration = judgeCalibration(right.risks, right.lost);
  expect(calibration.customers).toBe(5000);
  expect(calibration.expected).toBeCloseTo(0.4, 1);
  expect(calibration.observed).toBeCloseTo(calibration.expected, 1);
  expect(pastBounds([], calibration, bounds)).toEqual([]);
  const low = outcomes(5000, 0.15);
  const [told] = pastBounds([], judgeCalibration(low.risks, low.lost), bounds);
  expect(told).toMatch(/^risks are off by 0\.1\d\d \(bound 0\.05\): \d+\.\d % were expected to be lost, 5/);
});

test('what chance alone may do is no drift, however far past the bound', () => {
  const few = outcomes(30, 0);
  const calibration = judgeCalibration(few.risks, few.lost);
  expect(calibration.error).toBeGreaterThan(bounds.calibration);
  expect(pastBounds([], calibration, bounds)).toEqual([]);
  const drift = (index: number, byChance: number, usual = 0) => ({ feature: 'x', index, byChance, usual });
  expect(pastBounds([drift(0.4, 0.6)], calibration, bounds)).toEqual([]);
  expect(pastBounds([drift(0.4, 0.1, 0.2)], calibration, bounds)).toEqual([]);
  expect(pastBounds([drift(0.5, 0.1, 0.2)], calibration, bounds)).toEqual([
    'x has moved by 0.50 (bound 0.25 beyond its usual 0.20)',
  ]);
  expect(pastBounds([drift(0.4, 0.1), drift(0.2, 0.1)], calibration, bounds)).toEqual([
    'x has moved by 0.40 (bound 0.25)',
  ]);
});

test('of nobody nothing is said', () => {
  const calibration = judgeCalibration(new Float64Array(0), new Uint8Array(0));
  expect(calibration).toEqual({ customers: 0, expected: 0, observed: 0, error: 0, z: 0 });
  expect(pastBounds([], calibration, bounds)).toEqual([]);
});
