/** Lifts and buries: a shop's own factors on the scores. */
import type { Candidate } from './arrange.ts';
import { type Boost, isInForce } from './arrange-rules.ts';

/** Product of the factors of all boosts that match the item; 1 where none does. */
export function boostFactor(boosts: readonly Boost[], item: Candidate, now: number): number {
  let factor = 1;
  for (const boost of boosts) if (isInForce(boost, now) && matches(boost, item)) factor *= boost.factor;
  return factor;
}

/** A factor above 1 lifts, whatever the sign of the score. */
export function boosted(score: number, factor: number): number {
  if (score >= 0) return score * factor;
  return factor === 0 ? Number.NEGATIVE_INFINITY : score / factor;
}

function matches(boost: Boost, { itemId, category, brand, marginShare }: Candidate): boolean {
  if (boost.itemIds !== undefined && !boost.itemIds.has(itemId)) return false;
  if (boost.categories !== undefined && !boost.categories.has(category)) return false;
  if (boost.brands !== undefined && !boost.brands.has(brand)) return false;
  const { minMarginShare, maxMarginShare } = boost;
  if (minMarginShare === undefined && maxMarginShare === undefined) return true;
  if (marginShare === undefined) return false;
  return marginShare >= (minMarginShare ?? marginShare) && marginShare <= (maxMarginShare ?? marginShare);
}
