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
import { type GateVerdict, judge } from '../gate.ts';
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

/** It must tell customers apart better than recency does, and its risks must say more than one risk for all. */
export function judgeChurn(metrics: ChurnMetrics): GateVerdict {
  return judge(`churn risk of ${metrics.testCustomers} customers`, [
    { metric: 'AUC', candidate: metrics.auc, against: 'recency alone', baseline: metrics.recencyAuc },
    {
      metric: 'log loss',
      lowerIsBetter: true,
      candidate: metrics.logLoss,
      against: 'the base rate',
      baseline: metrics.baseRateLogLoss,
    },
  ]);
}
