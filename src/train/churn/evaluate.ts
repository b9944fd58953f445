/** How good a churn model is on customers at an instant that it has not seen, against knowing less. */
import { calibrate, fitIsotonic } from '../../algorithms/calibration.ts';
import { type ChurnModel, churnRisk } from '../../algorithms/churn-model.ts';
import {
  auc,
  baseRate,
  brierScore,
  expectedCalibrationError,
  logLoss,
} from '../../algorithms/classification-metrics.ts';
import type { SampleSet } from './samples.ts';

export type ChurnMetrics = {
  auc: number;
  logLoss: number;
  brier: number;
  /** Expected calibration error, ten bins. */
  ece: number;
  /** Days since the last order alone, calibrated like the model. */
  recencyAuc: number;
  recencyLogLoss: number;
  /** The same risk for everybody: the share that was lost at the calibration cut-off. */
  baseRateLogLoss: number;
  /** Share of the test customers that was lost. */
  churnShare: number;
  testCustomers: number;
};

export function evaluateChurn(model: ChurnModel, calibration: SampleSet, test: SampleSet): ChurnMetrics {
  const width = model.featureNames.length;
  const risks = Float64Array.from({ length: test.rows }, (_, row) =>
    churnRisk(model, test.features.subarray(row * width, (row + 1) * width)),
  );
  const byRecency = fitIsotonic(calibration.daysSinceLastOrder, calibration.labels);
  const recencyRisks = Float64Array.from(test.daysSinceLastOrder, (days) => calibrate(byRecency, days));
  const sameForAll = new Float64Array(test.rows).fill(baseRate(calibration.labels));
  return {
    auc: auc(risks, test.labels),
    logLoss: logLoss(risks, test.labels),
    brier: brierScore(risks, test.labels),
    ece: expectedCalibrationError(risks, test.labels),
    recencyAuc: auc(test.daysSinceLastOrder, test.labels),
    recencyLogLoss: logLoss(recencyRisks, test.labels),
    baseRateLogLoss: logLoss(sameForAll, test.labels),
    churnShare: baseRate(test.labels),
    testCustomers: test.rows,
  };
}

/** Published only if it tells customers apart better than recency does and its risks say more than one risk for all. */
export function judgeChurn(metrics: ChurnMetrics): { passed: boolean; reason: string } {
  const ranks = metrics.auc > metrics.recencyAuc;
  const informs = metrics.logLoss < metrics.baseRateLogLoss;
  return {
    passed: ranks && informs,
    reason:
      `AUC ${metrics.auc.toFixed(3)} ${ranks ? 'beats' : 'does not beat'} recency alone (${metrics.recencyAuc.toFixed(3)}); ` +
      `log loss ${metrics.logLoss.toFixed(3)} ${informs ? 'beats' : 'does not beat'} the base rate (${metrics.baseRateLogLoss.toFixed(3)})`,
  };
}
