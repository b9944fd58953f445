/** An offer as it may be saved: domain `Offer`, and every feature rule names a feature that there is. */
import { z } from 'zod';
import { Offer } from '../domain/offer.ts';

export type OfferSchema = typeof Offer;

/** An unknown feature is a fault that names the known ones, found together with all other faults of the offer. */
export function offerSchema(featureNames: readonly string[]): OfferSchema {
  const known = new Set(featureNames);
  return Offer.check(
    z.superRefine(
      (offer, ctx) => {
        for (const [index, name] of namedFeatures(offer).entries()) {
          if (typeof name !== 'string' || known.has(name)) continue;
          ctx.addIssue({
            code: 'custom',
            path: ['eligibility', 'features', index, 'feature'],
            message: `is not a feature; known are ${featureNames.join(', ')}`,
            input: name,
          });
        }
      },
      { when: () => true },
    ),
  );
}

/** The names in the feature rules of anything that claims to be an offer. */
function namedFeatures(input: unknown): unknown[] {
  const rules = (input as { eligibility?: { features?: unknown } } | null | undefined)?.eligibility?.features;
  return Array.isArray(rules)
    ? rules.map((rule: { feature?: unknown } | null | undefined) => rule?.feature)
    : [];
}
