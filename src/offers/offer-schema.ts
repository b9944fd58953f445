/** An offer as it may be saved: every feature rule names a feature that there is. */
import { z } from 'zod';
import { Offer, type OfferBody } from '../domain/offer.ts';
import { Rule, ruleNodes } from '../domain/rule.ts';

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
        for (const { path, name } of namedFeatures(offer)) {
          if (known.has(name)) continue;
          ctx.addIssue({
            code: 'custom',
            path: ['eligibility', ...path, 'feature'],
            message: `is not a feature; known are ${featureNames.join(', ')}`,
            input: name,
          });
        }
      },
      { when: () => true },
    ),
  ) as S;
}

/** Faults of a rule whose form is right: features that there are not. `path` is where the rule stands. */
export function unknownFeatures(
  rule: Rule,
  featureNames: readonly string[],
  path: string,
): { path: string; message: string }[] {
  return [...ruleNodes(rule)].flatMap(({ rule: node, path: place }) =>
    node.feature === undefined || featureNames.includes(node.feature)
      ? []
      : [
          {
            path: [path, ...place, 'feature']
              .map((step) => (typeof step === 'number' ? `[${step}]` : step))
              .join('.')
              .replaceAll('.[', '['),
            message: `is not a feature; known are ${featureNames.join(', ')}`,
          },
        ],
  );
}

/** The names in the rules of anything that claims to be an offer; none where the rules themselves are at fault. */
function namedFeatures(input: unknown): { path: (string | number)[]; name: string }[] {
  const parsed = Rule.safeParse((input as { eligibility?: unknown } | null | undefined)?.eligibility);
  if (!parsed.success) return [];
  return [...ruleNodes(parsed.data)].flatMap(({ rule, path }) =>
    rule.feature === undefined ? [] : [{ path, name: rule.feature }],
  );
}
