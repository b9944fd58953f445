/** Fits the models of a customer base, and holds their forecasts to what came. */
import { bgNbd, mbgNbd } from '../../algorithms/customer-base/beta-geometric.ts';
import { gammaGamma } from '../../algorithms/customer-base/gamma-gamma.ts';
import type { Estimate } from '../../algorithms/customer-base/maximum-likelihood.ts';
import { paretoNbd } from '../../algorithms/customer-base/pareto-nbd.ts';
import type { PurchaseModel } from '../../algorithms/customer-base/purchase-model.ts';
import { UsageError } from '../../domain/errors.ts';
import type { Observation } from './observe.ts';
import type { CustomerBase } from './read-summary.ts';

export const CLV_MODELS = ['bg-nbd', 'mbg-nbd', 'pareto-nbd', 'gamma-gamma'] as const;
export type ClvModel = (typeof CLV_MODELS)[number];

export type ClvLine = { model: ClvModel } & Estimate<string> & Partial<HoldoutFigures>;

export type HoldoutFigures = {
  /** Pearson's, of forecasts and what came; null where either is the same for everybody. */
  holdoutCorrelation: number | null;
  /** Mean of |forecast − what came|, in purchases or in money. */
  mae: number;
  holdoutCustomers: number;
};

/**
 * Fits `model` to `base`. With an observation, its forecast for each customer in it is compared with the holdout: the
 * number of purchases, over all customers of the calibration; or by `gamma-gamma` their average value, over those who had a
 * repeat purchase by then and bought again. UsageError where the model has nothing to be fitted to.
 */
export function evaluateClv(model: ClvModel, base: CustomerBase, observation?: Observation): ClvLine {
  if (model === 'gamma-gamma') return evaluateSpend(base, observation);
  return { model, ...evaluatePurchases(model, base, observation) };
}

/** Whether a base has what the model is fitted to. */
export function isFitFor(model: ClvModel, base: CustomerBase): boolean {
  return model !== 'gamma-gamma' || base.spend !== undefined;
}

function evaluatePurchases(
  name: Exclude<ClvModel, 'gamma-gamma'>,
  base: CustomerBase,
  observation: Observation | undefined,
) {
  if (name === 'pareto-nbd') return fitAndForecast(paretoNbd, base, observation);
  return fitAndForecast(name === 'bg-nbd' ? bgNbd : mbgNbd, base, observation);
}

function fitAndForecast<Name extends string>(
  model: PurchaseModel<Name>,
  base: CustomerBase,
  observation: Observation | undefined,
): Estimate<Name> & Partial<HoldoutFigures> {
  const estimate = model.fit(base.purchases);
  if (observation === undefined) return estimate;
  const { purchases, holdout } = observation;
  const outlook = model.given(estimate.parameters);
  const forecast = purchases.frequency.map((x, row) =>
    outlook.expectedPurchases(x, purchases.recency[row]!, purchases.age[row]!, holdout.length),
  );
  return { ...estimate, ...holdoutFigures(forecast, holdout.purchases) };
}

function evaluateSpend(base: CustomerBase, observation: Observation | undefined): ClvLine {
  const model = 'gamma-gamma';
  if (base.spend === undefined)
    throw new UsageError(
      `${model} needs what customers spent: a column of amounts. Name it with --spend or --amount.`,
    );
  if (!base.spend.averageSpend.some((spend, row) => spend > 0 && base.spend!.frequency[row]! > 0))
    throw new UsageError(`${model} needs customers with a repeat purchase of some value; there are none.`);
  const estimate = gammaGamma.fit(base.spend);
  const came = observation?.holdout.averageSpend;
  if (observation?.spend === undefined || came === undefined) return { model, ...estimate };
  const { frequency, averageSpend } = observation.spend;
  const { expectedAverageSpend } = gammaGamma.given(estimate.parameters);
  const rows = [...frequency.keys()].filter((row) => frequency[row]! > 0 && came[row]! > 0);
  const forecast = Float64Array.from(rows, (row) =>
    expectedAverageSpend(frequency[row]!, averageSpend[row]!),
  );
  const actual = Float64Array.from(rows, (row) => came[row]!);
  return { model, ...estimate, ...(rows.length > 0 && holdoutFigures(forecast, actual)) };
}

export function holdoutFigures(forecast: Float64Array, actual: Float64Array): HoldoutFigures {
  const n = forecast.length;
  const meanForecast = forecast.reduce((sum, value) => sum + value, 0) / n;
  const meanActual = actual.reduce((sum, value) => sum + value, 0) / n;
  let [covariance, ofForecast, ofActual, misses] = [0, 0, 0, 0];
  for (let row = 0; row < n; row++) {
    const [f, a] = [forecast[row]! - meanForecast, actual[row]! - meanActual];
    covariance += f * a;
    ofForecast += f * f;
    ofActual += a * a;
    misses += Math.abs(forecast[row]! - actual[row]!);
  }
  const spread = Math.sqrt(ofForecast * ofActual);
  return {
    holdoutCorrelation: spread > 0 ? covariance / spread : null,
    mae: misses / n,
    holdoutCustomers: n,
  };
}
