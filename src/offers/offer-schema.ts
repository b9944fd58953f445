/** An offer as it may be saved: every feature rule names a feature that there is. */
import { z } from 'zod';
import { Offer, type OfferBody } from '../domain/offer.ts';
import { isTooLarge, type Rule, ruleNodes } from '../domain/rule.ts';

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

/** The names in the rules of anything that claims to be an offer, also where other parts of the rules are at fault. */
function namedFeatures(input: unknown): { path: (string | number)[]; name: string }[] {
  const rule = (input as { eligibility?: unknown } | null | undefined)?.eligibility;
  return isTooLarge(rule) ? [] : featuresIn(rule, []);
}

function featuresIn(node: unknown, path: (string | number)[]): { path: (string | number)[]; name: string }[] {
  if (typeof node !== 'object' || node === null) return [];
  const { feature, all, any, not } = node as Record<string, unknown>;
  return [
    ...(typeof feature === 'string' && feature !== '' ? [{ path, name: feature }] : []),
    ...Object.entries({ all, any }).flatMap(([list, children]) =>
      (Array.isArray(children) ? children : []).flatMap((child, at) =>
        featuresIn(child, [...path, list, at]),
      ),
    ),
    ...featuresIn(not, [...path, 'not']),
  ];
}
