/** Is a model still for the customers that there are? */

import { baseRate, expectedCalibrationError } from '../../algorithms/classification-metrics.ts';
import type { FeatureDrift } from '../../algorithms/feature-drift.ts';
import { calibrationZ } from '../../algorithms/population-drift.ts';
import type { DriftReport } from './drift-report.ts';

export type DriftBounds = {
  /** Population stability index of a feature. */
  feature: number;
  /** Expected calibration error. */
  calibration: number;
};

/** Two in a thousand, were every risk right: a small shop shakes. */
const zByChance = 3.09;

export function judgeCalibration(risks: Float64Array, lost: Uint8Array): DriftReport['calibration'] {
  return {
    customers: risks.length,
    expected: risks.reduce((sum, risk) => sum + risk, 0) / Math.max(1, risks.length),
    observed: risks.length === 0 ? 0 : baseRate(lost),
    error: risks.length === 0 ? 0 : expectedCalibrationError(risks, lost),
    z: calibrationZ(risks, lost),
  };
}

/** What lies past its bound, and further than chance alone, or its usual course, would bring it. */
export function pastBounds(
  drifts: readonly FeatureDrift[],
  { error, z, expected, observed }: DriftReport['calibration'],
  bounds: DriftBounds,
): string[] {
  const past = drifts
    .filter(({ index, byChance, usual }) => index > bounds.feature + usual && index > byChance)
    .map(
      ({ feature, index, usual }) =>
        `${feature} has moved by ${index.toFixed(2)} (bound ${bounds.feature}${usual >= 0.01 ? ` beyond its usual ${usual.toFixed(2)}` : ''})`,
    );
  if (error > bounds.calibration && Math.abs(z) > zByChance)
    past.push(
      `risks are off by ${error.toFixed(3)} (bound ${bounds.calibration}): ${percent(expected)} were expected to be lost, ${percent(observed)} were`,
    );
  return past;
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
