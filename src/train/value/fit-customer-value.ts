/** Fits what the customer value model is made of to the customers of a shop. */
import { gammaGamma } from '../../algorithms/customer-base/gamma-gamma.ts';
import type { Estimate } from '../../algorithms/customer-base/maximum-likelihood.ts';
import type { PurchaseSummary } from '../../algorithms/customer-base/purchase-summary.ts';
import {
  PURCHASE_MODELS,
  type PurchaseModelName,
  purchaseModelOf,
} from '../../algorithms/customer-value/customer-value-model.ts';
import { regularityOf } from '../../algorithms/customer-value/next-purchase.ts';
import { createRng } from '../../algorithms/rng.ts';
import type { OrderSummary } from '../../history/order-summary.ts';

export type PurchaseChoice = {
  model: PurchaseModelName;
  /** Mean log-likelihood of the customers that each model was not fitted to. */
  logLikelihoods: Record<PurchaseModelName, number>;
};

/** Share of the customers that only judge. */
const judgingShare = 0.2;
/** Pairs of gaps below which the shop's regularity is not told from chance. */
const gapPairsMin = 50;

/** The model under which the customers that it was not fitted to are likeliest. Deterministic in its seed. */
export async function choosePurchaseModel(
  summary: OrderSummary,
  seed: number,
  report: () => Promise<void> | void,
): Promise<PurchaseChoice> {
  const rng = createRng(seed, 'customer value', 'judges');
  const judges = Array.from(summary.errands, () => rng.chance(judgingShare));
  const learning = purchasesOf(
    summary,
    judges.map((judging) => !judging),
  );
  const judging = purchasesOf(summary, judges);
  const logLikelihoods = {} as Record<PurchaseModelName, number>;
  let model: PurchaseModelName = 'mbg-nbd';
  for (const name of PURCHASE_MODELS) {
    const purchaseModel = purchaseModelOf(name);
    const outlook = purchaseModel.given(purchaseModel.fit(learning).parameters);
    let sum = 0;
    for (let row = 0; row < judging.frequency.length; row++)
      sum += outlook.logLikelihood(judging.frequency[row]!, judging.recency[row]!, judging.age[row]!);
    logLikelihoods[name] = sum / judging.frequency.length;
    if (!(logLikelihoods[model] >= logLikelihoods[name])) model = name;
    await report();
  }
  return { model, logLikelihoods };
}

/** Whole customers, or those that `isIn` marks. */
export function purchasesOf(
  { errands, recencyDays, ageDays }: OrderSummary,
  isIn?: readonly boolean[],
): PurchaseSummary {
  const of = (column: Float64Array) => (isIn === undefined ? column : column.filter((_, row) => isIn[row]));
  return { frequency: of(errands).map((n) => n - 1), recency: of(recencyDays), age: of(ageDays) };
}

/** Over all of a customer's errands, the first among them; undefined where nobody has brought anything in. */
export function fitSpend(summary: OrderSummary): Estimate<'p' | 'q' | 'v'> | undefined {
  const { errands, averageMarginMinor } = summary;
  if (!averageMarginMinor.some((margin) => margin > 0)) return undefined;
  return gammaGamma.fit({ frequency: errands, averageSpend: averageMarginMinor });
}

/** 1, as random as can be, where too few came often enough to tell. */
export function chooseRegularity({ variance, customers }: { variance: number; customers: number }): number {
  return customers < gapPairsMin ? 1 : regularityOf(variance);
}
