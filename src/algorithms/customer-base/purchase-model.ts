/** What every model of a customer base's purchases can be asked. */
import type { Estimate } from './maximum-likelihood.ts';
import type { PurchaseSummary } from './purchase-summary.ts';

export type PurchaseModel<Parameter extends string = string> = {
  /** By maximum likelihood. RangeError without customers. */
  fit: (summary: PurchaseSummary) => Estimate<Parameter>;
  given: (parameters: Readonly<Record<Parameter, number>>) => Outlook;
};

/**
 * What a customer with frequency x, recency t_x and age T (see `PurchaseSummary`) is like, under given parameters. A
 * `horizon` begins at the end of the observation, is at least 0 and in the same unit of time.
 */
export type Outlook = {
  /** Logarithm of the likelihood of this past. */
  logLikelihood: (x: number, tx: number, T: number) => number;
  /** Probability of not having left for good by the end of the observation. */
  probabilityAlive: (x: number, tx: number, T: number) => number;
  /** Purchases to expect within the horizon. */
  expectedPurchases: (x: number, tx: number, T: number, horizon: number) => number;
  /** Mean of the square of that number, which tells how far it may be off. */
  squaredPurchases: (x: number, tx: number, T: number, horizon: number) => number;
  /** Probability of no purchase within the horizon, whether for having left or for not coming yet. */
  noPurchaseProbability: (x: number, tx: number, T: number, horizon: number) => number;
};
