/**
 * Trains the customer value model from the lake: fits before a holdout at the end of the history, holds the forecasts to
 * what came, then fits again to the whole. What is served has the same kind of model, with more to go by.
 */
import type { Estimate } from '../../algorithms/customer-base/maximum-likelihood.ts';
import { customerValueToFiles } from '../../algorithms/customer-value/customer-value-files.ts';
import {
  type CustomerValueSettings,
  customerValueModel,
  type ItemMargins,
  purchaseModelOf,
} from '../../algorithms/customer-value/customer-value-model.ts';
import type { JobResult } from '../../domain/job.ts';
import { dayMs } from '../../domain/time.ts';
import { latestItems } from '../../history/catalogue.ts';
import type { Lake } from '../../history/lake.ts';
import { readOrderRhythm } from '../../history/order-rhythm.ts';
import { type OrderSummaries, type OrderSummary, openOrderSummaries } from '../../history/order-summary.ts';
import { DEFAULT_MARGIN_RATE, marginRateOf } from '../../offers/shop-statistics.ts';
import { servedChurn } from '../scores/served-models.ts';
import { notTrained, publishTrained, seenBefore, type Training } from '../training.ts';
import { evaluateCustomerValue } from './evaluate.ts';
import { choosePurchaseModel, chooseRegularity, fitSpend, purchasesOf } from './fit-customer-value.ts';
import { readThresholds } from './thresholds.ts';

export const valueHorizonDays = 365;
const defaultDiscountRate = 0.1;
/** The holdout is as long as the horizon, or a third of the history. */
const holdoutShare = 1 / 3;
const shortestHistoryDays = 60;
const customersMin = 50;
const repeatersMin = 10;
/** Customers whose records tell the limits of the bands: a quantile of 20,000 is off by less than a point in a hundred. */
const sampledCustomers = 20_000;
/** Items whose margin the model carries; of more, those that come first in the catalogue's order of ids. */
const itemsMax = 200_000;

/** Shares of the work, for the progress bar. */
const shares = { read: 0.3, chosen: 0.6, tested: 0.7, fitted: 0.8, banded: 0.97 };

const name = 'customer-value';

export async function trainCustomerValue(training: Training): Promise<JobResult> {
  const { lake, report } = training;
  await report(0, 'looking at the history');
  const rhythm = await readOrderRhythm(lake, seenBefore(training));
  if (rhythm === undefined) return notTrained(name, 'there are no purchases to learn from');
  const { from, to } = rhythm;
  // One past the last event: that one has been seen.
  const end = to + 1;
  const holdoutDays = Math.min(valueHorizonDays, Math.floor(((end - from) / dayMs) * holdoutShare));
  if (end - from < shortestHistoryDays * dayMs)
    return notTrained(
      name,
      `the history is too short: customer value takes at least ${shortestHistoryDays} days of purchases`,
    );
  const margins = await readItemMargins(lake);
  await report(0.05, 'summing up orders');
  const summaries = await openOrderSummaries(lake, margins, end);
  try {
    const cutoff = end - holdoutDays * dayMs;
    const before = await summaries.summaryOf({ asOf: cutoff, until: end });
    const shortage = shortageOf(before);
    if (shortage !== undefined) return notTrained(name, shortage);
    return await fitAndJudge(training, { from, to, end, holdoutDays, cutoff }, margins, summaries, before);
  } finally {
    summaries.close();
  }
}

type Span = { from: number; to: number; end: number; holdoutDays: number; cutoff: number };

async function fitAndJudge(
  training: Training,
  { from, to, end, holdoutDays, cutoff }: Span,
  margins: ItemMargins,
  summaries: OrderSummaries,
  before: OrderSummary,
): Promise<JobResult> {
  const { lake, seed, report, discountRate = defaultDiscountRate } = training;
  await report(shares.read, 'choosing a model of purchases');
  let judged = 0;
  const choice = await choosePurchaseModel(before, seed, () =>
    report(shares.read + (shares.chosen - shares.read) * (++judged / 3), 'choosing a model of purchases'),
  );
  const purchaseModel = purchaseModelOf(choice.model);
  const fitAll = (summary: OrderSummary, gaps: { variance: number; customers: number }) => {
    const purchases = purchaseModel.fit(purchasesOf(summary));
    const spend = fitSpend(summary);
    return spend && { purchases, spend, regularity: chooseRegularity(gaps) };
  };
  const early = fitAll(before, await summaries.gapShares(cutoff));
  if (early === undefined) return notTrained(name, 'no order has left a margin: items need prices');
  const settingsOf = (
    fitted: typeof early,
    horizonDays: number,
    annualDiscountRate: number,
  ): CustomerValueSettings => ({
    purchases: { model: choice.model, parameters: fitted.purchases.parameters },
    spend: fitted.spend.parameters,
    regularity: fitted.regularity,
    horizonDays,
    annualDiscountRate,
    margins,
    thresholds: { recencyDays: [], errands: [], marginMinor: [], valueMinor: [], risk: [] },
  });
  const { metrics, gate } = evaluateCustomerValue(
    customerValueModel(settingsOf(early, holdoutDays, 0)),
    before,
    seed,
  );
  await report(shares.tested, 'fitting to the whole history');
  const whole = await summaries.summaryOf({ asOf: end, until: end });
  const gaps = await summaries.gapShares(end);
  const fitted = fitAll(whole, gaps) ?? early;
  const settings = settingsOf(fitted, valueHorizonDays, discountRate);
  await report(shares.fitted, 'reading the limits of segments and bands');
  const churn = await servedChurn(training.modelsDir, training.log);
  const sample = await summaries.sampleCustomers(sampledCustomers);
  let shown = 0;
  const thresholds = await readThresholds(
    lake,
    sample,
    end,
    customerValueModel(settings),
    churn?.model,
    () => {
      shown = Math.min(1, shown + 500 / sample.length);
      return report(
        shares.fitted + (shares.banded - shares.fitted) * shown,
        'reading the limits of segments and bands',
      );
    },
  );
  await report(shares.banded, 'publishing');
  return publishTrained(
    training,
    {
      name,
      featureSchema: null,
      dataRange: { from: new Date(from).toISOString(), to: new Date(to).toISOString() },
      parameters: {
        purchaseModel: choice.model,
        ...estimateParameters(fitted.purchases),
        ...estimateParameters(fitted.spend),
        regularity: fitted.regularity,
        gapPairs: gaps.customers,
        horizonDays: valueHorizonDays,
        annualDiscountRate: discountRate,
        assumedMarginShare: margins.assumedShare,
        itemsWithMargin: margins.known.size,
        customers: whole.errands.length,
        holdoutDays,
        seed,
        recencyDaysLimits: [...thresholds.recencyDays],
        errandsLimits: [...thresholds.errands],
        marginMinorLimits: [...thresholds.marginMinor],
        valueMinorLimits: [...thresholds.valueMinor],
        riskLimits: [...thresholds.risk],
      },
      metrics: {
        ...metrics,
        ...Object.fromEntries(
          Object.entries(choice.logLikelihoods).map(([model, value]) => [`logLikelihood-${model}`, value]),
        ),
      },
      backend: 'typed-arrays',
      gate,
    },
    customerValueToFiles({ ...settings, thresholds }),
  );
}

/** `r`, and its standard error as `rError`; a parameter that the data do not determine says so. */
function estimateParameters({
  parameters,
  standardErrors,
}: Estimate<string>): Record<string, number | string> {
  return Object.fromEntries(
    Object.entries(parameters).flatMap(([parameter, value]) => [
      [parameter, value],
      [`${parameter}Error`, standardErrors[parameter] ?? 'undetermined'],
    ]),
  );
}

function shortageOf({ errands }: OrderSummary): string | undefined {
  if (errands.length < customersMin)
    return `too few customers before the holdout: ${errands.length} of at least ${customersMin}`;
  const repeaters = errands.reduce((sum, n) => sum + Number(n > 1), 0);
  if (repeaters < repeatersMin)
    return `too few customers came again before the holdout: ${repeaters} of at least ${repeatersMin}`;
  return undefined;
}

async function readItemMargins(lake: Lake): Promise<ItemMargins> {
  const known = new Map<string, { priceMinor: number; share: number }>();
  for await (const changes of latestItems(lake))
    for (const change of changes) {
      if (change.kind !== 'item' || known.size >= itemsMax) continue;
      const share = marginRateOf(change.item);
      if (share !== undefined)
        known.set(change.item.itemId, { priceMinor: change.item.priceMinor ?? 0, share });
    }
  return { assumedShare: DEFAULT_MARGIN_RATE, known };
}
