/** Loyalty tiers: what about a year's spend earns. */

import { LOYALTY_TIERS, type LoyaltyTier } from '../domain/channel.ts';
import { dayMs } from '../domain/time.ts';
import { YEAR_DAYS } from './calendar.ts';
import type { Journey } from './journey.ts';

/** Spend of about a year that each tier asks for. */
const TIER_SPEND_MINOR: Record<LoyaltyTier, number> = {
  none: 0,
  bronze: 20_000,
  silver: 50_000,
  gold: 100_000,
  platinum: 180_000,
};

export function spend(journey: Journey, at: number, valueMinor: number): void {
  journey.yearSpendMinor = yearSpend(journey, at) + valueMinor;
  journey.yearSpendAt = at;
  const earned = earnedTier(journey.yearSpendMinor);
  if (isHigher(earned, journey.tier)) changeTier(journey, at, earned);
}

/** Tiers rise at once and fall at a review. */
export function reviewTier(journey: Journey, at: number): void {
  const earned = earnedTier(yearSpend(journey, at));
  if (isHigher(journey.tier, earned)) changeTier(journey, at, earned);
}

/** A spend that earns the tier with a fifth to spare: what an existing customer starts with. */
export function spendOfTier(tier: LoyaltyTier): number {
  return 1.2 * TIER_SPEND_MINOR[tier];
}

function yearSpend(journey: Journey, at: number): number {
  const years = (at - journey.yearSpendAt) / (YEAR_DAYS * dayMs);
  return journey.yearSpendMinor * Math.exp(-years);
}

function earnedTier(yearSpendMinor: number): LoyaltyTier {
  return LOYALTY_TIERS.findLast((tier) => yearSpendMinor >= TIER_SPEND_MINOR[tier]) ?? 'none';
}

function changeTier(journey: Journey, at: number, tier: LoyaltyTier): void {
  journey.tier = tier;
  journey.writer.attributes(at, 'web', { loyaltyTier: tier });
}

function isHigher(tier: LoyaltyTier, than: LoyaltyTier): boolean {
  return LOYALTY_TIERS.indexOf(tier) > LOYALTY_TIERS.indexOf(than);
}
