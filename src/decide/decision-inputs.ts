/**
 * What a decision read of the customer, as it is logged with it: by name, so that it can be understood when the feature vector
 * has long been another. No personal data: of the CRM's attributes those alone that rules may ask for.
 */
import type { DecisionInputs } from '../domain/decision.ts';
import type { Offer } from '../domain/offer.ts';
import { ruleNodes } from '../domain/rule.ts';
import { FEATURE_NAMES } from '../features/registry.ts';
import type { CustomerFacts } from '../offers/customer-facts.ts';
import type { DecisionContext } from './customer-facts.ts';

/** Features that every decision reads. */
const ALWAYS_READ = ['purchaseCount', 'averageOrderValueMinor', 'openComplaints'];

/** Positions in the feature vector of what the offers' rules, and every decision, read. */
export function featuresRead(offers: Iterable<Offer>): number[] {
  const names = new Set(ALWAYS_READ);
  for (const { eligibility } of offers)
    if (eligibility !== undefined)
      for (const { rule } of ruleNodes(eligibility)) if (rule.feature !== undefined) names.add(rule.feature);
  return [...names].map((name) => FEATURE_NAMES.indexOf(name)).filter((at) => at >= 0);
}

export function decisionInputs(
  facts: CustomerFacts,
  read: readonly number[],
  { itemIds, basketMinor }: DecisionContext,
): DecisionInputs {
  const features: DecisionInputs['features'] = {};
  for (const at of read) {
    const value = facts.features[at] ?? Number.NaN;
    features[FEATURE_NAMES[at] ?? ''] = Number.isFinite(value) ? value : null;
  }
  return {
    features,
    tier: facts.loyaltyTier,
    ...(facts.segment !== undefined && { segment: facts.segment }),
    consent: facts.consent,
    churnRisk: facts.churnRisk ?? null,
    ...(itemIds.length > 0 && { itemIds: [...itemIds] }),
    ...(basketMinor !== undefined && { basketMinor }),
  };
}
