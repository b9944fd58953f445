/** An offer as it may be saved: every feature rule names a feature that there is. */
import { z } from 'zod';
import { Offer, type OfferBody } from '../domain/offer.ts';

/** Domain `Offer` with `knownFeatures`. */
export function offerSchema(featureNames: readonly string[]): typeof Offer {
  return knownFeatures(Offer, featureNames);
}

/** An unknown feature is a fault that names the known ones, found together with all other faults of the offer. */
export function knownFeatures<S extends typeof Offer | typeof OfferBody>(
  schema: S,
  featureNames: readonly string[],
): S {
  const known = new Set(featureNames);
  return schema.check(
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
  ) as S;
}

/** The names in the feature rules of anything that claims to be an offer. */
function namedFeatures(input: unknown): unknown[] {
  const rules = (input as { eligibility?: { features?: unknown } } | null | undefined)?.eligibility?.features;
  return Array.isArray(rules)
    ? rules.map((rule: { feature?: unknown } | null | undefined) => rule?.feature)
    : [];
}
