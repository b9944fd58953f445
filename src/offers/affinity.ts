/** How much more, or less, than others a customer likes what an offer is about. */
import type { CustomerFacts } from './customer-facts.ts';
import type { OfferSubject } from './offer-subject.ts';
import type { ShopStatistics } from './shop-statistics.ts';

/** Bought lines that the shop's average weighs as much as: a first purchase says little. */
const SHOP_EVIDENCE = 5;
const MIN_LIFT = 0.25;
const MAX_LIFT = 4;

/**
 * Multiplier of the odds of acceptance, from 1/4 to 4; 1 where the offer is about the whole shop or nothing is known.
 * The geometric mean of
 * - by category: the customer's share of purchases in the offer's categories over the shop's, shrunk towards 1 where the
 *   customer has bought little: (n·p + κ·q) / ((n + κ)·q) with n lines of evidence, κ = 5, p the customer's, q the shop's;
 * - by taste: twice the mean rank of the offer's items in the customer's collaborative scores (an average item ranks 1/2).
 */
export function affinityLift(subject: OfferSubject, facts: CustomerFacts, shop: ShopStatistics): number {
  const byCategory = categoryLift(subject, facts, shop);
  const byTaste = tasteLift(subject, facts);
  if (byCategory === undefined) return byTaste === undefined ? 1 : bound(byTaste);
  if (byTaste === undefined) return bound(byCategory);
  return Math.sqrt(bound(byCategory) * bound(byTaste));
}

function categoryLift(subject: OfferSubject, facts: CustomerFacts, shop: ShopStatistics): number | undefined {
  if (subject.categories.size === 0 || !(facts.categoryEvidence > 0)) return undefined;
  let own = 0;
  let shops = 0;
  for (const category of subject.categories) {
    own += facts.categoryShares.get(category) ?? 0;
    shops += shop.categoryShares.get(category) ?? 0;
  }
  // Nothing sells there, or the catalogue has no such category: there is nothing to compare with.
  if (!(shops > 0)) return undefined;
  const n = facts.categoryEvidence;
  return (n * own + SHOP_EVIDENCE * shops) / ((n + SHOP_EVIDENCE) * shops);
}

function tasteLift(subject: OfferSubject, facts: CustomerFacts): number | undefined {
  let sum = 0;
  let count = 0;
  for (const { itemId } of subject.items) {
    const rank = facts.tasteRank(itemId);
    if (rank === undefined) continue;
    sum += rank;
    count++;
  }
  return count === 0 ? undefined : (2 * sum) / count;
}

function bound(lift: number): number {
  return Math.min(MAX_LIFT, Math.max(MIN_LIFT, lift));
}
