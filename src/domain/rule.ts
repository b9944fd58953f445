/**
 * The rule language of offers: who may have one, as a tree over features, attributes and what the models make of a customer.
 *
 *   {"all":[{"feature":"daysSinceLastOrder","gt":60},{"attribute":"tier","in":["gold"]}]}
 *
 * Which features there are is not known here: `offers/offer-schema.ts` checks their names against the registry.
 */
import { z } from 'zod';
import { LOYALTY_TIERS } from './channel.ts';
import { RFM_SEGMENTS, RISK_BANDS, VALUE_TIERS } from './segments.ts';

/** What rules may ask of the CRM's attributes. */
const RULE_ATTRIBUTES = ['tier', 'segment'] as const;
export type RuleAttribute = (typeof RULE_ATTRIBUTES)[number];

/** What rules may ask of the models' scores, and the names that one may have; none: a number. */
const RULE_SCORES = {
  churnRisk: undefined,
  remainingLifetimeValueMinor: undefined,
  rfmSegment: RFM_SEGMENTS,
  valueTier: VALUE_TIERS,
  riskBand: RISK_BANDS,
} as const;
export type RuleScore = keyof typeof RULE_SCORES;

/** Bounds of a number; several hold together. */
export const RULE_BOUNDS = ['gt', 'gte', 'lt', 'lte', 'eq'] as const;

export const ruleDepthMax = 6;
export const ruleNodesMax = 100;
const valuesMax = 1000;

/** One node: exactly one of `all`, `any`, `not`, `feature`, `attribute` and `score`, with what belongs to it. */
export type Rule = {
  all?: Rule[] | undefined;
  any?: Rule[] | undefined;
  not?: Rule | undefined;
  feature?: string | undefined;
  gt?: number | undefined;
  gte?: number | undefined;
  lt?: number | undefined;
  lte?: number | undefined;
  eq?: number | undefined;
  attribute?: RuleAttribute | undefined;
  in?: string[] | undefined;
  notIn?: string[] | undefined;
  score?: RuleScore | undefined;
  reasonCode?: string | undefined;
};

const KINDS = ['all', 'any', 'not', 'feature', 'attribute', 'score'] as const;
const BELONGS: Record<(typeof KINDS)[number], readonly string[]> = {
  all: [],
  any: [],
  not: [],
  feature: RULE_BOUNDS,
  attribute: ['in', 'notIn'],
  score: [...RULE_BOUNDS, 'in', 'notIn'],
};

const nodes = z.lazy(() => z.array(RuleNode).min(1).max(50)).optional();
const texts = z.array(z.string().max(100)).min(1).max(valuesMax).optional();

const RuleNode: z.ZodType<Rule, Rule> = z
  .strictObject({
    /** Every one of them holds. */
    all: nodes,
    /** One of them holds. */
    any: nodes,
    /** It does not hold. */
    not: z.lazy(() => RuleNode).optional(),
    /** A number of the feature vector, by its name. */
    feature: z.string().min(1).max(100).optional(),
    gt: z.number().optional(),
    gte: z.number().optional(),
    lt: z.number().optional(),
    lte: z.number().optional(),
    eq: z.number().optional(),
    /** `tier` is `none` where no tier is known; a customer without a segment is in no list of segments. */
    attribute: z.enum(RULE_ATTRIBUTES).optional(),
    in: texts,
    notIn: texts,
    /**
     * Of the served models: a number with bounds, or a name with lists. While it is not known, the rule does not hold, nor does
     * its `not`.
     */
    score: z.enum(Object.keys(RULE_SCORES) as [RuleScore, ...RuleScore[]]).optional(),
    /** Answered as `rule:<reasonCode>` where this node is why an offer is not made. */
    reasonCode: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,49}$/, 'must be lower-case words with hyphens')
      .optional(),
  })
  .superRefine((rule, ctx) => {
    for (const fault of faultsOf(rule)) ctx.addIssue({ code: 'custom', input: rule, ...fault });
  })
  .meta({ id: 'Rule' });

/** Bounded before anything recurses into it: what is nested too deeply to be read is refused as a whole. */
export const Rule: z.ZodType<Rule, Rule> = z.preprocess((input, ctx) => {
  if (isTooLarge(input))
    ctx.addIssue({
      code: 'custom',
      input,
      message: `must not be nested deeper than ${ruleDepthMax} or have more than ${ruleNodesMax} rules`,
    });
  return ctx.issues.length > 0 ? z.NEVER : input;
}, RuleNode);

function faultsOf(rule: Rule): { path?: (string | number)[]; message: string }[] {
  const kinds = KINDS.filter((kind) => rule[kind] !== undefined);
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1)
    return [
      {
        message: `needs exactly one of ${KINDS.join(', ')}${kinds.length > 1 ? `; it has ${kinds.join(', ')}` : ''}`,
      },
    ];
  const given = [...RULE_BOUNDS, 'in', 'notIn'].filter((field) => rule[field as keyof Rule] !== undefined);
  const own = kind === 'score' ? belongsTo(rule.score) : BELONGS[kind];
  const faults: { path?: (string | number)[]; message: string }[] = given
    .filter((field) => !own.includes(field))
    .map((field) => ({ path: [field], message: `does not belong to ${rule.score ?? kind}` }));
  if (own.length > 0 && !given.some((field) => own.includes(field)))
    faults.push({ path: [kind], message: `needs one of ${own.join(', ')}` });
  const names: readonly string[] | undefined =
    rule.attribute === 'tier' ? LOYALTY_TIERS : rule.score && RULE_SCORES[rule.score];
  if (names !== undefined)
    for (const list of ['in', 'notIn'] as const)
      for (const [index, name] of (rule[list] ?? []).entries())
        if (!names.includes(name))
          faults.push({
            path: [list, index],
            message: `is not a ${rule.attribute ?? rule.score}; known are ${names.join(', ')}`,
          });
  return faults;
}

function belongsTo(score: RuleScore | undefined): readonly string[] {
  return score !== undefined && RULE_SCORES[score] === undefined ? RULE_BOUNDS : ['in', 'notIn'];
}

/** Walks whatever was sent level by level: recursion is what is being guarded against. */
export function isTooLarge(input: unknown): boolean {
  let level: unknown[] = [input];
  let count = 0;
  for (let depth = 0; level.length > 0; depth++) {
    count += level.length;
    if (depth >= ruleDepthMax || count > ruleNodesMax) return true;
    level = level.flatMap(childrenOf);
  }
  return false;
}

function childrenOf(node: unknown): unknown[] {
  if (typeof node !== 'object' || node === null) return [];
  const { all, any, not } = node as Record<string, unknown>;
  return [all, any]
    .flatMap((list) => (Array.isArray(list) ? list : []))
    .concat(not === undefined ? [] : [not]);
}

/** Every node of a rule, with where it stands. */
export function* ruleNodes(
  rule: Rule,
  path: (string | number)[] = [],
): Generator<{ rule: Rule; path: (string | number)[] }> {
  yield { rule, path };
  for (const list of ['all', 'any'] as const)
    for (const [index, child] of (rule[list] ?? []).entries())
      yield* ruleNodes(child, [...path, list, index]);
  if (rule.not !== undefined) yield* ruleNodes(rule.not, [...path, 'not']);
}
