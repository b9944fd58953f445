/** How good a churn model is on customers at an instant that it has not seen, against knowing less. */
import { bootstrapDifference, type Interval } from '../../algorithms/bootstrap.ts';
import { type ChurnModel, churnRisk } from '../../algorithms/churn-model.ts';
import { auc, aucDifference, baseRate, logLoss } from '../../algorithms/classification-metrics.ts';
import { createRng } from '../../algorithms/rng.ts';
import { measureRisks, type RiskFigures } from '../../evaluation/churn/measure-risks.ts';
import { type GateVerdict, judge } from '../gate.ts';
import type { KnowingLess } from './knowing-less.ts';
import type { SampleSet } from './samples.ts';

export type ChurnMetrics = RiskFigures & {
  /** Days since the last order alone, by logistic regression. */
  recencyAuc: number;
  recencyLogLoss: number;
  mbgNbdAuc: number;
  mbgNbdLogLoss: number;
  paretoNbdAuc: number;
  paretoNbdLogLoss: number;
  /** The same risk for everybody: the share that was lost among those learnt from. */
  baseRateLogLoss: number;
  /** Share of the test customers that was lost. */
  churnShare: number;
  testCustomers: number;
  /** Of those who had ordered once: a shop's main churners, of whom models of a rhythm know least. */
  oneTimeCustomers: number;
  /** Their mean risk, and the share of them that was lost; absent where there are none. */
  oneTimeRisk?: number;
  oneTimeChurnShare?: number;
};

/** With 95 % intervals of how far the model is ahead on the same customers. */
export type ChurnTest = {
  metrics: ChurnMetrics;
  ahead: {
    aucOfRecency: Interval;
    aucOfMbgNbd: Interval;
    logLossOfBaseRate: Interval;
    logLossOfMbgNbd: Interval;
  };
};

/** `others` say of the test customers what knowing less says, in their order. */
export function evaluateChurn(
  model: ChurnModel,
  test: SampleSet,
  others: Readonly<Record<KnowingLess, Float64Array>>,
  seed: number,
): ChurnTest {
  const width = model.featureNames.length;
  const lost = lostWithin(test, model.horizonDays);
  const risks = Float64Array.from({ length: test.rows }, (_, row) =>
    churnRisk(model, test.features.subarray(row * width, (row + 1) * width)),
  );
  const losses = (given: Float64Array) => given.map((risk, row) => logLoss([bounded(risk)], [lost[row]!]));
  const [own, ofBaseRate, ofRecency, ofMbgNbd, ofParetoNbd] = [
    risks,
    others['base-rate'],
    others.recency,
    others['mbg-nbd'],
    others['pareto-nbd'],
  ].map(losses) as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
  const ahead = (other: Float64Array, name: string) =>
    bootstrapDifference(other, own, createRng(seed, 'churn', 'bootstrap', name));
  return {
    metrics: {
      ...measureRisks(risks, lost),
      recencyAuc: auc(others.recency, lost),
      recencyLogLoss: mean(ofRecency),
      mbgNbdAuc: auc(others['mbg-nbd'], lost),
      mbgNbdLogLoss: mean(ofMbgNbd),
      paretoNbdAuc: auc(others['pareto-nbd'], lost),
      paretoNbdLogLoss: mean(ofParetoNbd),
      baseRateLogLoss: mean(ofBaseRate),
      churnShare: baseRate(lost),
      testCustomers: test.rows,
      ...oneTimeFigures(model, test, risks, lost),
    },
    ahead: {
      aucOfRecency: aucDifference(risks, others.recency, lost),
      aucOfMbgNbd: aucDifference(risks, others['mbg-nbd'], lost),
      logLossOfBaseRate: ahead(ofBaseRate, 'base rate'),
      logLossOfMbgNbd: ahead(ofMbgNbd, 'mbg-nbd'),
    },
  };
}

function oneTimeFigures(
  { featureNames }: ChurnModel,
  { rows, features }: SampleSet,
  risks: Float64Array,
  lost: Uint8Array,
): Pick<ChurnMetrics, 'oneTimeCustomers' | 'oneTimeRisk' | 'oneTimeChurnShare'> {
  const repeatsAt = featureNames.indexOf('repeatErrands');
  let [customers, risk, gone] = [0, 0, 0];
  for (let row = 0; row < rows; row++) {
    if (features[row * featureNames.length + repeatsAt]! > 0) continue;
    customers++;
    risk += risks[row]!;
    gone += lost[row]!;
  }
  if (customers === 0) return { oneTimeCustomers: 0 };
  return {
    oneTimeCustomers: customers,
    oneTimeRisk: risk / customers,
    oneTimeChurnShare: gone / customers,
  };
}

/** 1 = no purchase within the horizon. */
export function lostWithin({ daysToNextOrder }: SampleSet, horizonDays: number): Uint8Array {
  return Uint8Array.from(daysToNextOrder, (days) => (days >= horizonDays ? 1 : 0));
}

/**
 * Beyond doubt it must tell customers apart better than recency does, and its risks must say more than one risk for all; and
 * it must not be worse than MBG/NBD, which needs no network.
 */
export function judgeChurn({ metrics, ahead }: ChurnTest): GateVerdict {
  return judge(`churn risk of ${metrics.testCustomers} customers`, [
    {
      metric: 'AUC',
      candidate: metrics.auc,
      against: 'recency alone',
      baseline: metrics.recencyAuc,
      difference: ahead.aucOfRecency,
    },
    {
      metric: 'log loss',
      lowerIsBetter: true,
      candidate: metrics.logLoss,
      against: 'the base rate',
      baseline: metrics.baseRateLogLoss,
      difference: ahead.logLossOfBaseRate,
    },
    {
      metric: 'AUC',
      candidate: metrics.auc,
      against: 'MBG/NBD',
      baseline: metrics.mbgNbdAuc,
      difference: ahead.aucOfMbgNbd,
      rule: 'notBelow',
    },
    {
      metric: 'log loss',
      lowerIsBetter: true,
      candidate: metrics.logLoss,
      against: 'MBG/NBD',
      baseline: metrics.mbgNbdLogLoss,
      difference: ahead.logLossOfMbgNbd,
      rule: 'notBelow',
    },
  ]);
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** No probability may be so sure that one surprise costs an infinite loss. */
function bounded(risk: number): number {
  return Math.max(1e-6, Math.min(1 - 1e-6, risk));
}
