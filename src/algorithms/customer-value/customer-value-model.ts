/**
 * What a customer is worth within a horizon from now: the margin of her purchases to come, discounted. How many there will
 * be is told by a probability model of purchases, how much each leaves by Gamma-Gamma; time is in days, money in minor
 * units, and a purchase is an errand (orders of one day are one).
 *
 *   value = E[margin of a purchase] · (e^−δH E[X(H)] + δ ∫ e^−δt E[X(t)] dt from 0 to H),   δ = ln(1 + annual rate) / 365
 *
 * which is ∫ e^−δt dE[X(t)] by parts. The first purchase counts in her average: who bought once has told something.
 */
import { bgNbd, mbgNbd } from '../customer-base/beta-geometric.ts';
import { gammaGamma } from '../customer-base/gamma-gamma.ts';
import { gammaQuantile } from '../customer-base/gamma-quantile.ts';
import { paretoNbd } from '../customer-base/pareto-nbd.ts';
import type { Outlook, PurchaseModel } from '../customer-base/purchase-model.ts';

export const PURCHASE_MODELS = ['bg-nbd', 'mbg-nbd', 'pareto-nbd'] as const;
export type PurchaseModelName = (typeof PURCHASE_MODELS)[number];

export function purchaseModelOf(name: PurchaseModelName): PurchaseModel {
  // Each takes its own names out of the parameters; a record of all names fits any.
  const models: Record<PurchaseModelName, PurchaseModel> = {
    'bg-nbd': bgNbd as PurchaseModel,
    'mbg-nbd': mbgNbd as PurchaseModel,
    'pareto-nbd': paretoNbd as PurchaseModel,
  };
  return models[name];
}

/** What the model knows of a customer who has bought at least once. */
export type CustomerPast = {
  errands: number;
  /** From the first order to the last, and to now; 0 ≤ recencyDays ≤ ageDays. */
  recencyDays: number;
  ageDays: number;
  /** Of an errand; what came back is taken off. Not above 0: the customer has brought nothing in. */
  averageMarginMinor: number;
};

/** What an order leaves: price less cost where the catalogue tells it, else a share of the price. */
export type ItemMargins = {
  /** Margin over price where the catalogue does not tell. */
  assumedShare: number;
  /** By item id, of those that it tells. */
  known: ReadonlyMap<string, { priceMinor: number; share: number }>;
};

/** Limits between bands, ascending: quantiles of the shop's customers. */
export type CustomerThresholds = {
  /** Days since the last order; four limits of fifths. */
  recencyDays: readonly number[];
  /** Errands of those with two and more; three limits of quarters. */
  errands: readonly number[];
  /** Margin so far; four limits of fifths. */
  marginMinor: readonly number[];
  /** `valueTier`, `riskBand`: see there. No limits of risk: no churn model was served when they were told. */
  valueMinor: readonly number[];
  risk: readonly number[];
};

export type CustomerValueSettings = {
  purchases: { model: PurchaseModelName; parameters: Readonly<Record<string, number>> };
  spend: Readonly<Record<'p' | 'q' | 'v', number>>;
  /** Shape of the gaps between errands: 1 = as random as can be, more = regular. */
  regularity: number;
  horizonDays: number;
  annualDiscountRate: number;
  margins: ItemMargins;
  thresholds: CustomerThresholds;
};

/** The settings with what is computed from them once. */
export type CustomerValueModel = CustomerValueSettings & {
  readonly outlook: Outlook;
  readonly expectedMargin: (errands: number, averageMargin: number) => number;
};

export type CustomerValue = {
  valueMinor: number;
  /** Of 100 customers like this one, 10 bring in less than `lowMinor`, and 10 more than `highMinor`. */
  lowMinor: number;
  highMinor: number;
  expectedPurchases: number;
  horizonDays: number;
};

const valueInterval = { low: 0.1, high: 0.9 } as const;
const daysPerYear = 365;
/** Gauss and Legendre's points of [0, 1], for a curve as smooth as expected purchases. */
const points = [0.5 - Math.sqrt(3) / 6, 0.5 + Math.sqrt(3) / 6] as const;
/** ν ~ Gamma(q, v) has no E[1/ν²] up to q = 2: a customer with so little told is given the spread of one with a bit more. */
const leastShape = 2.2;

export function customerValueModel(settings: CustomerValueSettings): CustomerValueModel {
  const { model, parameters } = settings.purchases;
  return {
    ...settings,
    outlook: purchaseModelOf(model).given(parameters),
    expectedMargin: gammaGamma.given(settings.spend).expectedAverageSpend,
  };
}

/**
 * The value in whole minor units, with a central 80 % interval of what will come: margins add up to a gamma distribution,
 * given that there is a purchase at all, with the mean and variance that the two models together have. The parameters are
 * taken as certain.
 */
export function customerValue(model: CustomerValueModel, past: CustomerPast): CustomerValue {
  const { outlook, horizonDays: H } = model;
  const { errands, recencyDays: tx, ageDays: T } = past;
  const x = errands - 1;
  const expected = outlook.expectedPurchases(x, tx, T, H);
  const margin = model.expectedMargin(errands, Math.max(0, past.averageMarginMinor));
  const discount = discountOf(model, past, expected);
  const value = expected * margin * discount;
  const none = outlook.noPurchaseProbability(x, tx, T, H);
  const some = 1 - none;
  if (!(some > 1e-9) || !(value > 0))
    return {
      valueMinor: Math.round(value),
      lowMinor: 0,
      highMinor: 0,
      expectedPurchases: expected,
      horizonDays: H,
    };
  const variance = sumVariance(model, past, expected, margin);
  const mean = (expected * margin) / some;
  const spread = Math.max(1e-9 * mean * mean, (variance + (expected * margin) ** 2) / some - mean * mean);
  const shape = (mean * mean) / spread;
  const quantile = (share: number) =>
    share <= none ? 0 : discount * (spread / mean) * gammaQuantile(shape, (share - none) / some);
  return {
    valueMinor: Math.round(value),
    lowMinor: Math.round(quantile(valueInterval.low)),
    highMinor: Math.round(quantile(valueInterval.high)),
    expectedPurchases: expected,
    horizonDays: H,
  };
}

/** The value, in minor units, if it were certain that she has not left for good: what keeping her now is worth. */
export function valueIfAlive(model: CustomerValueModel, past: CustomerPast): number {
  const { errands, recencyDays, ageDays, averageMarginMinor } = past;
  const { outlook, horizonDays } = model;
  const x = errands - 1;
  const alive = outlook.probabilityAlive(x, recencyDays, ageDays);
  if (!(alive > 0)) return 0;
  const expected = outlook.expectedPurchases(x, recencyDays, ageDays, horizonDays);
  const margin = model.expectedMargin(errands, Math.max(0, averageMarginMinor));
  return (expected / alive) * margin * discountOf(model, past, expected);
}

/** What is left of the value by its purchases' coming later: between 0 and 1. */
function discountOf(model: CustomerValueModel, past: CustomerPast, expected: number): number {
  const { outlook, horizonDays: H, annualDiscountRate } = model;
  const delta = Math.log1p(annualDiscountRate) / daysPerYear;
  if (delta === 0 || !(expected > 0)) return 1;
  let sum = Math.exp(-delta * H) * expected;
  for (const point of points) {
    const t = point * H;
    const until = outlook.expectedPurchases(past.errands - 1, past.recencyDays, past.ageDays, t);
    sum += 0.5 * H * delta * Math.exp(-delta * t) * until;
  }
  return sum / expected;
}

/**
 * Variance of the sum S of X margins, each Gamma(p, ν), ν as the customer's past tells it:
 *   E[S²] = E[X] p E[1/ν²] + E[X²] p² E[1/ν²],   E[S] = E[X] p E[1/ν].
 */
function sumVariance(
  model: CustomerValueModel,
  past: CustomerPast,
  expected: number,
  margin: number,
): number {
  const { p, q } = model.spend;
  const { errands, recencyDays, ageDays } = past;
  const squared = model.outlook.squaredPurchases(errands - 1, recencyDays, ageDays, model.horizonDays);
  const shape = Math.max(leastShape, q + p * errands);
  const squaredMargin = (margin * margin * (shape - 1)) / (shape - 2);
  return Math.max(0, squaredMargin * (expected / p + squared) - (expected * margin) ** 2);
}
