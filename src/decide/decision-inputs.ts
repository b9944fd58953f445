/**
 * What a decision read of the customer, as it is logged with it: by name, so that it can be understood when the feature vector
 * has long been another. No personal data: of the CRM's attributes those alone that rules may ask for.
 */
import type { ContactInputs, DecisionInputs } from '../domain/decision.ts';
import { FEATURE_NAMES } from '../features/registry.ts';
import type { CustomerFacts, WorkedOut } from '../offers/customer-facts.ts';
import type { DecisionContext } from './customer-facts.ts';

/** Categories that are logged of a customer who buys of many. */
const categoriesMax = 10;

export function decisionInputs(
  facts: CustomerFacts,
  contacts: ContactInputs | undefined,
  context: DecisionContext,
): DecisionInputs {
  const features: DecisionInputs['features'] = {};
  const known = facts.knownFeatures ?? facts.features;
  for (const [at, name] of FEATURE_NAMES.entries()) features[name] = knownNumber(known[at]);
  return { features, ...inputsBesides(facts, contacts, context) };
}

/** `decisionInputs` with the feature vector by position. */
export type FramedInputs = Omit<DecisionInputs, 'features'> & { features: (number | null)[] };

export function framedInputs(
  facts: CustomerFacts,
  contacts: ContactInputs | undefined,
  context: DecisionContext,
): FramedInputs {
  const features: (number | null)[] = [];
  const known = facts.knownFeatures ?? facts.features;
  for (let at = 0; at < FEATURE_NAMES.length; at++) features.push(knownNumber(known[at]));
  return { features, ...inputsBesides(facts, contacts, context) };
}

function knownNumber(value: number | undefined): number | null {
  return value === undefined || !Number.isFinite(value) ? null : value;
}

function inputsBesides(
  facts: CustomerFacts,
  contacts: ContactInputs | undefined,
  { itemIds, basketMinor }: DecisionContext,
): Omit<DecisionInputs, 'features'> {
  const { churnRisk, value, segments, ...interest } = facts.workedOut?.() ?? {};
  return {
    tier: facts.loyaltyTier,
    ...(facts.segment !== undefined && { segment: facts.segment }),
    consent: facts.consent,
    ...(churnRisk !== undefined && { churnRisk }),
    ...(segments !== undefined && { segments }),
    ...(value !== undefined && { value }),
    ...interestsOf(interest),
    ...(contacts !== undefined && { contacts }),
    ...(itemIds.length > 0 && { itemIds: [...itemIds] }),
    ...(basketMinor !== undefined && { basketMinor }),
  };
}

function interestsOf({
  categoryShares,
  categoryEvidence = 0,
}: Pick<WorkedOut, 'categoryShares' | 'categoryEvidence'>): Pick<DecisionInputs, 'interests'> {
  if (categoryShares === undefined) return {};
  const categories = [...categoryShares]
    .map(([category, share]) => ({ category, share }))
    .sort((a, b) => b.share - a.share)
    .slice(0, categoriesMax);
  return { interests: { evidence: categoryEvidence, categories } };
}
