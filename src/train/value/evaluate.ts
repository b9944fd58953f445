/**
 * How good the forecasts of purchases and margin are on a later period, against knowing less. Compared is how they divide among
 * the customers what came: each is scaled to its total first, since a season lifts all customers alike and none of the
 * forecasts knows of it. How far the model's total is off is a figure of its own.
 */
import { bootstrapDifference } from '../../algorithms/bootstrap.ts';
import {
  type CustomerValueModel,
  customerValue,
} from '../../algorithms/customer-value/customer-value-model.ts';
import { createRng } from '../../algorithms/rng.ts';
import type { OrderSummary } from '../../history/order-summary.ts';
import { type GateVerdict, judge } from '../gate.ts';

export type ValueMetrics = {
  testCustomers: number;
  /** Pearson's, of expected and actual purchases of the holdout. */
  correlation: number;
  /** Mean of |expected − actual purchases|. */
  mae: number;
  /** Mean Poisson deviance of purchases, lower is better; of each customer's own rate carried forward, and of the mean. */
  deviance: number;
  ownRateDeviance: number;
  meanDeviance: number;
  /** Root of the mean squared error of the margin, minor units; of the same baselines. */
  rmse: number;
  ownRateRmse: number;
  meanRmse: number;
  /** Forecast of all margin over the margin that came. */
  totalRatio: number;
  /** Shares of the customers whose margin came to less, or more, than the 80 % interval says. */
  belowInterval: number;
  aboveInterval: number;
};

/** Of a larger shop, that many are looked at: more would not make the figures surer. */
const customersMax = 100_000;

/**
 * `model` has the length of the holdout as its horizon and no discount; it must have been fitted before the holdout. The own
 * rate carried forward is a customer's errands over her age, or over a horizon where she is younger, at her own average margin.
 */
export function evaluateCustomerValue(
  model: CustomerValueModel,
  summary: OrderSummary,
  seed: number,
): { metrics: ValueMetrics; gate: GateVerdict } {
  const step = Math.max(1, Math.ceil(summary.errands.length / customersMax));
  const rows = Uint32Array.from({ length: Math.ceil(summary.errands.length / step) }, (_, n) => n * step);
  const column = (value: (row: number) => number) => Float64Array.from(rows, value);
  const H = model.horizonDays;
  const values = Array.from(rows, (row) =>
    customerValue(model, {
      errands: summary.errands[row]!,
      recencyDays: summary.recencyDays[row]!,
      ageDays: summary.ageDays[row]!,
      averageMarginMinor: summary.averageMarginMinor[row]!,
    }),
  );
  const purchases = column((row) => summary.laterErrands[row]!);
  const margin = column((row) => summary.laterMarginMinor[row]!);
  const expected = Float64Array.from(values, ({ expectedPurchases }) => expectedPurchases);
  const value = Float64Array.from(values, ({ valueMinor }) => valueMinor);
  const ownRate = column((row) => (summary.errands[row]! * H) / Math.max(H, summary.ageDays[row]!));
  const ownValue = ownRate.map((rate, n) => rate * Math.max(0, summary.averageMarginMinor[rows[n]!]!));
  const { rate, averageMargin } = meansOf(summary);
  const meanRate = new Float64Array(rows.length).fill(rate * H);
  const meanValue = new Float64Array(rows.length).fill(rate * H * averageMargin);

  const deviances = {
    model: deviance(levelled(expected, purchases), purchases),
    own: deviance(levelled(ownRate, purchases), purchases),
    mean: deviance(levelled(meanRate, purchases), purchases),
  };
  const errors = {
    model: squares(levelled(value, margin), margin),
    own: squares(levelled(ownValue, margin), margin),
    mean: squares(levelled(meanValue, margin), margin),
  };
  const metrics: ValueMetrics = {
    testCustomers: rows.length,
    correlation: correlation(expected, purchases),
    mae: meanOf(expected.map((e, n) => Math.abs(e - purchases[n]!))),
    deviance: meanOf(deviances.model),
    ownRateDeviance: meanOf(deviances.own),
    meanDeviance: meanOf(deviances.mean),
    rmse: Math.sqrt(meanOf(errors.model)),
    ownRateRmse: Math.sqrt(meanOf(errors.own)),
    meanRmse: Math.sqrt(meanOf(errors.mean)),
    totalRatio: sumOf(value) / Math.max(1, sumOf(margin)),
    belowInterval: meanOf(margin.map((m, n) => Number(m < values[n]!.lowMinor - 0.5))),
    aboveInterval: meanOf(margin.map((m, n) => Number(m > values[n]!.highMinor + 0.5))),
  };
  const rng = createRng(seed, 'customer value', 'bootstrap');
  const check = (
    metric: string,
    against: string,
    of: Record<'model' | 'own' | 'mean', Float64Array>,
    other: 'own' | 'mean',
  ) => ({
    metric,
    lowerIsBetter: true,
    candidate: meanOf(of.model),
    against,
    baseline: meanOf(of[other]),
    difference: bootstrapDifference(of[other], of.model, rng),
  });
  const gate = judge(`value of ${rows.length} customers over ${H} days`, [
    check('deviance of purchases', 'the mean', deviances, 'mean'),
    // Where hardly anybody leaves, a long own past is as good.
    { ...check('deviance of purchases', "each customer's own rate", deviances, 'own'), rule: 'notBelow' },
    // A few large buyers carry most of a squared error of money: it must not be worse beyond doubt.
    { ...check('squared error of margin', "each customer's own rate", errors, 'own'), rule: 'notBelow' },
    { ...check('squared error of margin', 'the mean', errors, 'mean'), rule: 'notBelow' },
  ]);
  return { metrics, gate };
}

/** Repeat errands a day of everybody's age, and the mean margin of an errand. */
function meansOf({ errands, ageDays, averageMarginMinor }: OrderSummary) {
  let [repeats, days, all, margin] = [0, 0, 0, 0];
  for (let row = 0; row < errands.length; row++) {
    repeats += errands[row]! - 1;
    days += ageDays[row]!;
    all += errands[row]!;
    margin += errands[row]! * averageMarginMinor[row]!;
  }
  return { rate: (repeats + 1) / (days + 1), averageMargin: margin / Math.max(1, all) };
}

/** Scaled to the total that came. */
function levelled(forecast: Float64Array, actual: Float64Array): Float64Array {
  const factor = sumOf(actual) / sumOf(forecast);
  return factor > 0 && Number.isFinite(factor) ? forecast.map((value) => factor * value) : forecast;
}

/** Of each customer: 2 [y ln(y / μ) − (y − μ)], least in the mean where μ is the mean of y. */
function deviance(expected: Float64Array, actual: Float64Array): Float64Array {
  return actual.map((y, n) => {
    const mu = Math.max(1e-9, expected[n]!);
    return 2 * ((y > 0 ? y * Math.log(y / mu) : 0) - (y - mu));
  });
}

function squares(forecast: Float64Array, actual: Float64Array): Float64Array {
  return actual.map((y, n) => (forecast[n]! - y) ** 2);
}

function correlation(x: Float64Array, y: Float64Array): number {
  const [meanX, meanY] = [meanOf(x), meanOf(y)];
  let [xy, xx, yy] = [0, 0, 0];
  for (let n = 0; n < x.length; n++) {
    const [a, b] = [x[n]! - meanX, y[n]! - meanY];
    xy += a * b;
    xx += a * a;
    yy += b * b;
  }
  return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : 0;
}

function sumOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function meanOf(values: Float64Array): number {
  return values.length === 0 ? 0 : sumOf(values) / values.length;
}
