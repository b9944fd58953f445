/** How much more than others a customer buys what an offer is about. */

/** Shares of the customers' interest by category, over the decisions learnt from: what a customer is compared with. */
export type CategoryShares = ReadonlyMap<string, number>;

/** One customer's interest: shares by category (they sum to at most 1) and the weight of the evidence behind them. */
export type Interest = { shares: ReadonlyMap<string, number>; evidence: number };

/** Evidence that the usual shares weigh as much as: a first purchase says little. */
const usualEvidence = 5;
const fitMax = Math.log(8);

/**
 * ln of the customer's share of interest in the categories over the usual one, the former shrunk towards the latter where little
 * is known; 0 for an offer about the whole shop, and for categories that nobody has an interest in. Within ±ln 8.
 */
export function categoryFit(
  categories: readonly string[],
  interest: Interest,
  usual: CategoryShares,
): number {
  let own = 0;
  let common = 0;
  for (const category of categories) {
    own += interest.shares.get(category) ?? 0;
    common += usual.get(category) ?? 0;
  }
  return fitOf(own, common, interest.evidence);
}

export function fitOf(own: number, common: number, evidence: number): number {
  if (!(common > 0)) return 0;
  const lift = (evidence * own + usualEvidence * common) / ((evidence + usualEvidence) * common);
  return Math.max(-fitMax, Math.min(fitMax, Math.log(lift)));
}
